/** Random Lua literals and expressions. */
import type { Dice } from "./dice.ts";

const NUMBERS = [
  "0",
  "1",
  "2",
  "3",
  "10",
  "0.5",
  "1.5",
  "0.1",
  "3.14159",
  "100",
  "255",
  "256",
  "65536",
  "2147483647",
  "2147483648",
  "4294967296",
  "9007199254740992",
  "1700000000000",
  "1e15",
  "123456789012345678",
  "1e100",
  "1e-7",
  "0x1F",
  "(1/3)",
  "(2/0)",
  "(-2/0)",
  "(2^53)",
  "(2^63)",
  "(-1)",
  "(-2.5)",
  "(-0)",
  "12345.678",
  "1234567.25",
  "0.125",
  "99999999999999.5",
];
const STRINGS = [
  '""',
  '"a"',
  '"abc"',
  '"hello world"',
  '"10"',
  '"0x10"',
  '" 7 "',
  '"1e2"',
  '"a,b,,c"',
  '"\\0x"',
  '"a\\nb"',
  '"\\255\\128"',
  '"key=val; k2=v2"',
  '"(x)[y]%z"',
  '"ABCdef123"',
  '"  pad  "',
  "[[long]]",
  '"f(a(b)c)d"',
  '"1.50"',
  '"-3"',
  '"%d"',
];

export function numberLiteral(dice: Dice): string {
  return dice.chance(0.5) ? String(dice.integer(-20, 120)) : dice.pick(NUMBERS);
}

export function stringLiteral(dice: Dice): string {
  if (dice.chance(0.7)) return dice.pick(STRINGS);
  const text = dice.some(8, () => dice.pick("abcxyz019 .%-+=,;()[]".split(""))).join("");
  return JSON.stringify(text);
}

/** A table of plain values; the keys are strings and small numbers, whose order Lua fixes. */
export function tableLiteral(dice: Dice, depth: number): string {
  const items = dice.some(5, () => {
    const value = plainValue(dice, depth - 1);
    if (dice.chance(0.5)) return value;
    if (dice.chance(0.6)) return `${dice.pick(["a", "b", "key", "name", "x1", "value", "ok2", "n"])}=${value}`;
    return `[${dice.chance(0.7) ? dice.integer(-2, 12) : dice.pick(['"k k"', "true", "1.5", "2^40", "-1", '""'])}]=${value}`;
  });
  return `{${items.join(dice.pick([",", ";", ", "]))}}`;
}

export function plainValue(dice: Dice, depth: number): string {
  const kind = dice.fraction();
  if (kind < 0.35) return numberLiteral(dice);
  if (kind < 0.65) return stringLiteral(dice);
  if (kind < 0.75 || depth <= 0) return dice.pick(["true", "false", "nil"]);
  return tableLiteral(dice, depth);
}

const BINARY = ["+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or"];

/** An expression over the given variables; many of them fail, with one of Lua's messages. */
export function expression(dice: Dice, variables: readonly string[], depth: number): string {
  const kind = dice.fraction();
  if (depth <= 0 || kind < 0.25) {
    return dice.chance(0.4) && variables.length > 0 ? dice.pick(variables) : plainValue(dice, 1);
  }
  const inner = (): string => expression(dice, variables, depth - 1);
  if (kind < 0.65) return `(${inner()} ${dice.pick(BINARY)} ${inner()})`;
  if (kind < 0.75) return `(${dice.pick(["not ", "- ", "#"])}${inner()})`;
  if (kind < 0.85) return `(${inner()})${dice.pick([".x", ".a.b", "[1]", `[${inner()}]`, ":len()", ":foo(1)", "()"])}`;
  if (kind < 0.95) return `${dice.pick(["tostring", "tonumber", "type", "math.floor", "#", "unpack"])}(${inner()})`;
  return `(function(...) return ${dice.pick(["...", "select('#', ...)", "(...)", "..., 1"])} end)(${inner()}, ${inner()})`;
}
