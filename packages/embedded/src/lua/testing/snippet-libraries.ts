/** Random calls of the libraries, with arguments that mostly fit. */
import type { Dice } from "./dice.ts";
import { numberLiteral, plainValue, stringLiteral, tableLiteral } from "./snippet-values.ts";

/** Turns any number of results into a reply that shows their types. */
const SHOW = `local function show(...)
  local r = {}
  for i = 1, select('#', ...) do
    local v = select(i, ...)
    r[i] = type(v) .. ':' .. (type(v) == 'table' and cjson.encode(v) or tostring(v))
  end
  return r
end
`;

type Maker = (dice: Dice) => string;

export function libraryCall(dice: Dice): string {
  const call = dice.pick(MAKERS)(dice);
  return dice.chance(0.5) ? `${SHOW}return show(pcall(function() return ${call} end))` : `${SHOW}return show(${call})`;
}

const text = stringLiteral;
const number = numberLiteral;
const position: Maker = (dice) => String(dice.integer(-6, 8));
const anything: Maker = (dice) => plainValue(dice, 2);

function pattern(dice: Dice): string {
  const atoms = [
    "a",
    "b",
    ".",
    "%a",
    "%d",
    "%s",
    "%w",
    "%p",
    "%x",
    "%S",
    "[abc]",
    "[^a]",
    "[%w_]",
    "[a-f]",
    "(",
    ")",
    "()",
    "(.-)",
    "%b()",
    "%f[%w]",
    "%1",
    "x",
    "=",
    "%%",
    "%.",
    "[",
    "]",
    "%",
    "^",
    "$",
    " ",
    "-",
  ];
  const body = dice.some(4, () => dice.pick(atoms) + dice.pick(["", "", "", "*", "+", "-", "?"]), 1).join("");
  return JSON.stringify(dice.pick(["", "", "^"]) + body + dice.pick(["", "", "$"]));
}

function replacement(dice: Dice): string {
  return dice.pick([
    () => text(dice),
    () => dice.pick(['"%1"', '"<%0>"', '"%2%1"', '"%%"', '"%"', '"%a"']),
    () => "function(...) return select('#', ...) .. (...) end",
    () => "function(x) if x == 'a' then return nil end return x .. x end",
    () => "{a='A', b=2, c=false, x={}}",
    () => number(dice),
    () => "nil",
  ])();
}

function specification(dice: Dice): string {
  const flags = dice.some(2, () => dice.pick("-+ #0".split(""))).join("");
  const width = dice.chance(0.5) ? "" : String(dice.integer(1, 14));
  const precision = dice.chance(0.5) ? "" : `.${dice.pick(["", "0", "1", "2", "5", "9", "14", "20"])}`;
  return `%${flags}${width}${precision}${dice.pick("ddiuxXoeEfgGgGssqc%y".split(""))}`;
}

function formatCall(dice: Dice): string {
  const parts = dice.some(3, () => specification(dice) + dice.pick(["", " ", "|"]), 1);
  const args = parts.map((part) => (/[sq]\W?$/.test(part) || dice.chance(0.1) ? text(dice) : number(dice)));
  return `string.format(${[JSON.stringify(parts.join("")), ...args].join(", ")})`;
}

function jsonText(dice: Dice): string {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"b\\\\n"',
    "1",
    "-2.5e3",
    "true",
    "false",
    "null",
    " ",
    '"\\\\u00e9"',
    "nan",
    "+1",
    "01",
    "0x10",
    "inf",
    "x",
    '"',
    '"\\\\ud83d\\\\ude00"',
    '{"a":1}',
    "[1,2]",
  ];
  if (dice.chance(0.5)) return `'${dice.some(6, () => dice.pick(pieces)).join("")}'`;
  const value = (depth: number): string => {
    if (depth > 0 && dice.chance(0.5)) return `[${dice.some(3, () => value(depth - 1)).join(",")}]`;
    if (depth > 0 && dice.chance(0.5)) {
      return `{${dice.some(3, () => `"${dice.pick(["a", "b", "1", "key"])}" : ${value(depth - 1)}`).join(", ")}}`;
    }
    return dice.pick(['"s"', "1", "2.50", "-1e-5", "null", "true", '""', "123456789012345", "1e400"]);
  };
  return `'${value(3)}'`;
}

function structFormat(dice: Dice): string {
  const options = [
    "b",
    "B",
    "h",
    "H",
    "i",
    "I",
    "l",
    "L",
    "i3",
    "I2",
    "i8",
    "f",
    "d",
    "s",
    "c0",
    "c2",
    "x",
    ">",
    "<",
    "!4",
    " ",
    "z",
  ];
  return JSON.stringify(dice.some(5, () => dice.pick(options), 1).join(""));
}

function bytesLiteral(dice: Dice): string {
  return `"${dice.some(10, () => `\\${dice.pick([dice.integer(0, 255), 0x90, 0x81, 0xa2, 0xc0, 0xca, 0xcc, 0xd1, 0xd9, 0xdc])}`).join("")}"`;
}

const BITS = ["tobit", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "bswap", "tohex"];
const UNARY_MATH = ["abs", "ceil", "floor", "sqrt", "deg", "frexp", "modf", "tostring and math.floor"];

const MAKERS: readonly Maker[] = [
  (dice) => `string.find(${text(dice)}, ${pattern(dice)}${dice.chance(0.3) ? `, ${position(dice)}` : ""})`,
  (dice) => `string.match(${text(dice)}, ${pattern(dice)})`,
  (dice) =>
    `string.gsub(${text(dice)}, ${pattern(dice)}, ${replacement(dice)}${dice.chance(0.2) ? `, ${position(dice)}` : ""})`,
  (dice) =>
    `(function() local r = {} for a, b in string.gmatch(${text(dice)}, ${pattern(dice)}) do r[#r + 1] = tostring(a) .. tostring(b) end return table.concat(r, '|') end)()`,
  (dice) =>
    `string.${dice.pick(["sub", "byte"])}(${text(dice)}, ${position(dice)}${dice.chance(0.6) ? `, ${position(dice)}` : ""})`,
  (dice) => `string.${dice.pick(["len", "upper", "lower", "reverse"])}(${anything(dice)})`,
  (dice) => `string.rep(${text(dice)}, ${position(dice)})`,
  (dice) => `string.char(${dice.some(3, () => String(dice.integer(-2, 260))).join(", ")})`,
  formatCall,
  formatCall,
  (dice) => `tonumber(${anything(dice)}${dice.chance(0.5) ? `, ${dice.integer(-1, 38)}` : ""})`,
  (dice) => `tostring(${number(dice)})`,
  (dice) => `math.${dice.pick(UNARY_MATH)}(${number(dice)})`,
  (dice) => `math.${dice.pick(["max", "min", "fmod", "ldexp", "atan2"])}(${number(dice)}, ${number(dice)})`,
  (dice) =>
    `table.concat(${tableLiteral(dice, 1)}, ${text(dice)}${dice.chance(0.3) ? `, ${position(dice)}, ${position(dice)}` : ""})`,
  (dice) => `unpack(${tableLiteral(dice, 1)}${dice.chance(0.5) ? `, ${position(dice)}, ${position(dice)}` : ""})`,
  (dice) => `select(${dice.pick(["'#'", position(dice)])}, ${anything(dice)}, ${anything(dice)})`,
  (dice) => `cjson.encode(${anything(dice)})`,
  (dice) => `cjson.encode(${tableLiteral(dice, 3)})`,
  (dice) => `cjson.decode(${jsonText(dice)})`,
  (dice) => `cmsgpack.pack(${anything(dice)}, ${tableLiteral(dice, 2)})`,
  (dice) => `cmsgpack.unpack(cmsgpack.pack(${anything(dice)}, ${anything(dice)}))`,
  (dice) => `cmsgpack.${dice.pick(["unpack", "unpack_one"])}(${bytesLiteral(dice)})`,
  (dice) => `cmsgpack.unpack_limit(${bytesLiteral(dice)}, ${position(dice)}, ${position(dice)})`,
  (dice) => `bit.${dice.pick(BITS)}(${dice.some(3, () => number(dice)).join(", ")})`,
  (dice) =>
    `struct.pack(${structFormat(dice)}, ${dice.some(5, () => (dice.chance(0.3) ? text(dice) : number(dice)), 1).join(", ")})`,
  (dice) =>
    `struct.unpack(${structFormat(dice)}, ${bytesLiteral(dice)}${dice.chance(0.2) ? `, ${position(dice)}` : ""})`,
  (dice) => `struct.size(${structFormat(dice)})`,
  (dice) => `next(${tableLiteral(dice, 1)})`,
  (dice) => `rawget(${anything(dice)}, ${anything(dice)})`,
  (dice) =>
    `redis.${dice.pick(["call", "pcall"])}(${dice.pick(["'ECHO'", "'PING'", "'NOSUCH'", "'GET'", "'MGET'"])}, ${anything(dice)})`,
  (dice) => `redis.${dice.pick(["error_reply", "status_reply", "sha1hex"])}(${text(dice)})`,
  (dice) =>
    `${dice.pick(["assert", "error", "type", "ipairs", "setmetatable"])}(${dice.chance(0.2) ? "" : text(dice)})`,
  (dice) =>
    `loadstring(${JSON.stringify(dice.pick(["return 1", "return ...", "x =", "error('e')", "return {", "\n\nfoo bar"]))})`,
];
