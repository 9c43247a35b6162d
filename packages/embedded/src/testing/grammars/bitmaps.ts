import type { Placeholders } from "../grammar.ts";

const WIDTHS = [1, 2, 3, 5, 8, 13, 16, 31, 32, 33, 48, 53, 63];
const AMOUNTS = [
  "0",
  "1",
  "-1",
  "2",
  "127",
  "-128",
  "255",
  "1000",
  "-99999",
  "9223372036854775807",
  "-9223372036854775808",
  "x",
];

export const bitmapPlaceholders: Placeholders = {
  bit: (random) => random.pick(["0", "1", "0", "1", "0", "1", "2", "x"]),
  offset: (random) =>
    random.chance(0.05) ? random.pick(["-1", "x", "4294967296", "01"]) : `${random.integer(0, 130)}`,
  index: (random) =>
    `${random.chance(0.1) ? random.pick(["9223372036854775807", "-9223372036854775808", "x"]) : random.integer(-70, 70)}`,
  bytes: (random) =>
    Array.from({ length: random.integer(0, 12) }, () => random.pick(["\xff", "\x00", "\x0f", "a"])).join(""),
  type: (random) => {
    if (random.chance(0.04)) return random.pick(["u64", "i65", "u0", "x8", "i", "u-1"]);
    return random.chance(0.1) ? "i64" : `${random.pick(["i", "u"])}${random.pick(WIDTHS)}`;
  },
  place: (random) => {
    if (random.chance(0.03)) return random.pick(["#x", "#", "-1", "#9223372036854775807"]);
    return random.chance(0.3) ? `#${random.integer(0, 5)}` : `${random.integer(0, 90)}`;
  },
  amount: (random) => (random.chance(0.5) ? `${random.integer(-300, 300)}` : random.pick(AMOUNTS)),
};

export const bitmapSyntax: readonly string[] = [
  "SETBIT key offset bit",
  "SETBIT key offset bit",
  "GETBIT key offset",
  "SET key bytes",
  "SETRANGE key 3 XY",
  "GET key",
  "BITCOUNT key [index index [BIT|BYTE|Bit]]",
  "BITCOUNT key index index (BIT|BYTE)",
  "BITPOS key bit [index [index [BIT|BYTE|Bit]]]",
  "BITPOS key bit index index (BIT|BYTE)",
  "BITPOS key bit index",
  "BITOP (AND|OR|XOR|NOT|X) key (key)+",
  "BITOP (AND|OR|XOR) key key key",
  "BITOP NOT key key",
  "BITFIELD key (GET type place)+",
  "BITFIELD key [OVERFLOW (WRAP|SAT|FAIL|X)] (SET|INCRBY) type place amount",
  "BITFIELD key OVERFLOW (WRAP|SAT|FAIL) (SET|INCRBY) type place amount (SET|INCRBY) type place amount GET type place",
  "BITFIELD key INCRBY type place amount",
  "BITFIELD_RO key (GET type place)+ [SET type place amount]",
  "OBJECT ENCODING key",
  "DEL key",
];
