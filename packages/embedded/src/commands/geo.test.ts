import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { geoPlaceholders, geoSyntax } from "../testing/grammars/geo.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = 600;

describe("geo commands answer as Redis does", () => {
  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = geoSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...geoPlaceholders, key: () => random.pick(["a", "b"]), stored: () => "stored" };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(commands);
  });

  it("with positions, hashes and distances", () =>
    oracle.expectSame([
      "GEOADD sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
      "GEOADD sicily NX CH 13.5 38 Palermo",
      "GEOADD sicily NX XX 13.5 38 Palermo",
      "GEOADD sicily 13.5 38 Palermo 15",
      "GEOADD sicily NX CH XX 1",
      "GEOADD sicily 200 100 Nowhere",
      "GEOADD sicily inf 1e300 Nowhere",
      "GEOPOS sicily Palermo Nowhere Catania",
      "GEOPOS nothing Palermo",
      "GEOPOS sicily",
      "GEOHASH sicily Palermo Catania Nowhere",
      ["EVAL", "return redis.call('GEOPOS', KEYS[1], 'Palermo')", "1", "sicily"],
      "GEODIST sicily Palermo Catania",
      "GEODIST sicily Palermo Catania km",
      "GEODIST sicily Palermo Nowhere mi",
      "GEODIST sicily Palermo Palermo ft",
      "GEODIST sicily Palermo Catania yd",
      "GEODIST sicily Palermo Catania km km",
      "GEODIST nothing a b",
      "SET text x",
      "GEOPOS text a",
      "GEOADD text 1 2 a",
    ]));

  it("with searches that cannot be", () =>
    oracle.expectSame([
      "GEOADD g 1 1 a 2 2 b",
      "GEOSEARCH g FROMMEMBER a FROMLONLAT 1 1 BYRADIUS 1 m",
      "GEOSEARCH g BYRADIUS 1 m ASC ASC",
      "GeoSearch g FROMMEMBER a ASC ASC ASC",
      "GEOSEARCH g FROMMEMBER nobody BYRADIUS 1 m",
      "GEOSEARCH nothing FROMMEMBER nobody BYRADIUS 1 m",
      "GEOSEARCH g FROMMEMBER a BYRADIUS 1 m BYBOX 1 1 m",
      "GEOSEARCH g FROMMEMBER a BYRADIUS 1 m ANY",
      "GEOSEARCH g FROMMEMBER a BYRADIUS 1 m COUNT 0",
      "GEOSEARCH g FROMMEMBER a BYBOX -1 1 m",
      "GEOSEARCH g FROMMEMBER a BYBOX 1 x m",
      "GEOSEARCH g FROMMEMBER a BYRADIUS 1 m STOREDIST",
      "GEOSEARCHSTORE s g FROMMEMBER a BYRADIUS 1 m WITHDIST",
      "GEOSEARCHSTORE s nothing FROMMEMBER a BYRADIUS 1 m",
      "GEORADIUS g 1 1 1 m WITHHASH STORE s",
      "GEORADIUS g 1 1 1 m STORE",
      "GEORADIUS_RO g 1 1 1 m STORE s",
      "GEORADIUSBYMEMBER nothing a x y",
      "GEORADIUSBYMEMBER nothing a 1 m STORE s",
      "GEORADIUSBYMEMBER g nobody 1 m",
    ]));

  it("for scores that no geohash has", () =>
    oracle.expectSame([
      "ZADD z 0 a 1.5 b 4503599627370496 c 1e15 d",
      "GEOADD z inf -0 e",
      "GEOPOS z a b c d",
      "GEOHASH z a b c d",
      "GEOSEARCH z FROMLONLAT 0 0 BYRADIUS 20000 km WITHHASH",
      "ZADD y -inf a inf b -5.5 c 1e19 d 2e19 e -1e19 f -9223372036854775808 g 18446744073709551615 h",
      "GEOPOS y a b c d e f g h",
      "GEOHASH y a b c d e f g h",
    ]));
});
