import type { Placeholders } from "../grammar.ts";
import type { SeededRandom } from "../../base/random.ts";

function degrees(random: SeededRandom, limit: number, edges: readonly string[]): string {
  if (random.chance(0.1)) return random.pick(edges);
  return ((random.fraction() * 2 - 1) * limit).toFixed(random.integer(0, 15));
}

/** So many members that some are near, everywhere on earth. */
export const geoPlaceholders: Placeholders = {
  member: (random) => `p${random.integer(0, 29)}`,
  longitude: (random) =>
    degrees(random, 180, ["180", "-180", "0", "179.9999", "-179.9999", "180.1", "x", "inf", "1e300"]),
  latitude: (random) => degrees(random, 85, ["85.05112878", "-85.05112878", "0", "85", "-85", "86", "x"]),
  unit: (random) => (random.chance(0.03) ? "yd" : random.pick(["m", "km", "ft", "mi", "KM"])),
  length: (random) => {
    if (random.chance(0.04)) return random.pick(["-1", "x"]);
    return random.pick(["0", "100", "1000", "500", "5000", "20000", "12000", `${random.fraction() * 8000}`, "9e6"]);
  },
  count: (random) => ["COUNT", random.chance(0.1) ? random.pick(["0", "-1", "x"]) : `${random.integer(1, 12)}`],
};

/** Without STOREDIST, whose last digits depend on the C library and on the processor. */
export const geoSyntax: readonly string[] = [
  ...Array.from({ length: 3 }, () => "GEOADD key (longitude latitude member)+ [longitude latitude member]"),
  "GEOADD key [NX|XX] [CH] (longitude latitude member)+ [member]",
  "GEOPOS key (member)+",
  "GEOHASH key (member)+",
  "GEODIST key member member [unit] [unit]",
  ...Array.from(
    { length: 4 },
    () =>
      "GEOSEARCH key (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS length unit|BYBOX length length unit) [WITHDIST] [WITHCOORD] [WITHHASH] [ASC|DESC] [count [ANY]]",
  ),
  "GEOSEARCH key [FROMMEMBER member] [BYRADIUS length unit] [FROMLONLAT longitude latitude] [BYBOX length length unit] ASC ASC ASC ASC ASC",
  "GEOSEARCHSTORE stored key (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS length unit|BYBOX length length unit) [ASC|DESC] [count] [WITHDIST]",
  "(GEORADIUS|GEORADIUS_RO) key longitude latitude length unit [WITHDIST] [WITHCOORD] [WITHHASH] [ASC|DESC] [count]",
  "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) key member length unit [WITHDIST] [WITHCOORD] [WITHHASH] [ASC|DESC]",
  "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) key member length unit [ASC|DESC] [count] [STORE stored]",
  "ZRANGE stored 0 -1 WITHSCORES",
  "ZRANGE key 0 -1 WITHSCORES",
];
