/**
 * What could go wrong, and the test for it: a value is changed on its way through the server unnoticed, or
 * one that would come back as it was is refused.
 */
import { describe, expect, it } from "vitest";
import { createCodec, jsonCodec } from "./codec.ts";
import { failure } from "../../../test/support/codec.ts";

describe("what JSON would change is refused, with its path", () => {
  const loose = createCodec({ strict: false });
  class Money {
    readonly amount = 1;
  }

  it.each<[unknown, string]>([
    [new Date(0), "a Date at the top"],
    [{ user: { seen: new Map() } }, "a Map at user.seen"],
    [[[new Uint8Array(1)]], "a Uint8Array at [0][0]"],
    [{ list: [1, { score: Number.NaN }] }, "NaN at list[1].score"],
    [{ "a b": Infinity }, 'Infinity at ["a b"]'],
    [{ n: 1n }, "a bigint at n"],
    [{ list: [1, undefined] }, "undefined at list[1]"],
    [{ list: Array.from({ length: 2 }).fill(1, 1) }, "undefined at list[0]"],
    [{ f: () => 1 }, "a function at f"],
    [{ price: new Money() }, "a Money at price"],
    [{ toJSON: () => 1 }, "an object with its own toJSON at the top"],
  ])("%o", (value, where) => {
    const error = failure(() => jsonCodec.encode(value));
    expect(error.reason).toBe("unserializable");
    expect(error.message).toContain(`JSON would change ${where} (serializer "structured" keeps`);
  });

  it("except a property that is undefined and -0, and unless strict is false", () => {
    expect(jsonCodec.decode(jsonCodec.encode({ gone: undefined, zero: -0 }))).toEqual({ zero: 0 });
    expect(loose.decode(loose.encode({ at: new Date(0), n: Number.NaN }))).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      n: null,
    });
  });

  it("the same bytes are stored for all else", () => {
    const value = { a: [1, "x", null, true, { b: -1.5 }], gone: undefined, none: Object.create(null) as unknown };
    expect(jsonCodec.encode(value)).toEqual(loose.encode(value));
  });

  it("MessagePack has the same rule for what it does not keep", () => {
    const codec = createCodec({ serializer: "msgpack" });
    expect(codec.decode(codec.encode({ at: new Date(5), n: Number.NaN, big: 2n }))).toEqual({
      at: new Date(5),
      n: Number.NaN,
      big: 2n,
    });
    for (const value of [[undefined], { s: new Set() }, { at: new Date(Number.NaN) }]) {
      expect(failure(() => codec.encode(value)).message).toContain("MessagePack would change");
    }
  });
});
