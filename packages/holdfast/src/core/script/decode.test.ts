import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import {
  decodeBigint,
  decodeBool,
  decodeBytes,
  decodeFloat,
  decodeInt,
  decodeJson,
  decodeList,
  decodeMap,
  decodeOptional,
  decodeRows,
  decodeText,
  decodeUnion,
  type Part,
  UnexpectedReplyError,
} from "./decode.ts";
import { encodeBigint, encodeBool, encodeFloat, encodeInt, encodeJson } from "./encode.ts";

/** Neither JSON nor decimal text has one. */
const withoutNegativeZero = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const row = (flat: readonly Part[], at: number): string => decodeText(flat[at]);
const bulk = (text: string): Buffer => Buffer.from(text);

describe("what is encoded is decoded to the same value", () => {
  it.each<[string, fc.Arbitrary<unknown>, (value: never) => string, (part: Part) => unknown]>([
    ["int", fc.maxSafeInteger(), (value) => encodeInt("n", value), decodeInt],
    [
      "float",
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      (value) => encodeFloat("n", value),
      decodeFloat,
    ],
    ["bigint", fc.bigInt(), encodeBigint, decodeBigint],
    ["bool", fc.boolean(), encodeBool, decodeBool],
    ["json", fc.jsonValue().map(withoutNegativeZero), (value) => encodeJson("v", value), (part) => decodeJson(part)],
  ])("%s", (_name, values, encode, decode) => {
    fc.assert(
      fc.property(values, (value) => {
        const text = encode(value as never);
        expect(decode(bulk(text))).toEqual(value);
      }),
    );
  });
});

describe("what Lua would misread is not sent", () => {
  it.each([Number.NaN, Infinity, 0.5, 2 ** 53])("int %s", (value) => {
    expect(() => encodeInt("ttlMs", value)).toThrow(InvalidArgumentError);
  });
  it.each([Number.NaN, Infinity, -Infinity])("float %s", (value) => {
    expect(() => encodeFloat("score", value)).toThrow(InvalidArgumentError);
  });
  it("a function is not JSON", () => {
    expect(() => encodeJson("value", () => 1)).toThrow(InvalidArgumentError);
  });
});

describe("replies in the forms that servers give them", () => {
  it.each<[string, (part: Part) => unknown, Part, unknown]>([
    ["a status line is text", decodeText, "OK", "OK"],
    ["an integer as text", decodeInt, bulk("-12"), -12],
    ["an integer as bigint", decodeInt, 7n, 7],
    ["a bigint as number", decodeBigint, 7, 7n],
    ["Redis's infinity", decodeFloat, bulk("-inf"), -Infinity],
    ["Lua's true", decodeBool, 1, true],
    ["Lua's false", decodeBool, null, false],
    ["a stored flag", decodeBool, bulk("0"), false],
    ["nil past the end", (part) => decodeOptional(part, decodeInt), undefined, null],
  ])("%s", (_name, decode, part, expected) => {
    expect(decode(part)).toEqual(expected);
  });

  it("a field of a map may be named like a property of every object", () => {
    const map = decodeMap([bulk("__proto__"), bulk("1")], decodeInt);
    expect([...map]).toEqual([["__proto__", 1]]);
  });
});

describe("a reply of another shape is refused", () => {
  it.each<[string, (part: Part) => unknown, Part]>([
    ["bytes from a number", decodeBytes, 1],
    ["bytes from nil", decodeBytes, null],
    ["text from a list", decodeText, []],
    ["int from an empty text", decodeInt, bulk("")],
    ["int from a fraction", decodeInt, bulk("1.5")],
    ["int past 2^53", decodeInt, bulk("9007199254740993")],
    ["int that may have been rounded on its way", decodeInt, 2 ** 53 - 2],
    ["bigint that was rounded on its way", decodeBigint, 2 ** 60],
    ["float from an empty text", decodeFloat, bulk("")],
    ["float from nan", decodeFloat, bulk("nan")],
    ["bool from 2", decodeBool, 2],
    ["bool from nothing", decodeBool, undefined],
    ["JSON cut short", decodeJson, bulk('{"a":')],
    ["list from text", (part) => decodeList(part, decodeInt), bulk("1")],
    ["map with a name and no value", (part) => decodeMap(part, decodeInt), [bulk("a")]],
    ["rows cut short", (part) => decodeRows(part, 2, row), [bulk("a"), bulk("1"), bulk("b")]],
    ["union from an empty list", decodeUnion, []],
    ["union from nil", decodeUnion, null],
    ["an error in a list", (part) => decodeList(part, decodeInt), [new Error("ERR")]],
  ])("%s", (_name, decode, part) => {
    expect(() => decode(part)).toThrow(UnexpectedReplyError);
  });

  it("the message never shows the reply's content", () => {
    expect(() => decodeInt(bulk("secret"))).toThrow("expected an integer within ±2^53, got 6 bytes");
  });
});
