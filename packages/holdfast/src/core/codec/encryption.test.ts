/**
 * What could go wrong, and the test for it:
 * - a value can be read, or compared, without its key ................. "the same value twice becomes different bytes"
 * - a key that was rotated away is missed, or is read for ever ........ "rotation"
 * - an encrypted value is read in another place ....................... "aad binds a value to its place"
 * - a plain or damaged value is taken for an encrypted one ............ "plain values are refused", "counts as damage"
 */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createCodec, jsonCodec } from "./codec.ts";
import { failure } from "../../../test/support/codec.ts";

const KEY = randomBytes(32);
const OTHER_KEY = randomBytes(32);
const encrypt = { keys: { k1: KEY }, current: "k1" };

describe("encryption", () => {
  const value = { card: "4111-1111" };
  const codec = createCodec({ encrypt });

  it("the same value twice becomes different bytes, none of them readable", () => {
    const stored = codec.encode(value);
    expect(stored.includes("4111")).toBe(false);
    expect(stored.equals(codec.encode(value))).toBe(false);
    expect(codec.decode(stored)).toEqual(value);
  });

  it("rotation: the new key encrypts, both decrypt, until the old one is dropped", () => {
    const old = codec.encode(value);
    const rotated = createCodec({ encrypt: { keys: { k1: KEY, k2: OTHER_KEY }, current: "k2" } });
    const dropped = createCodec({ encrypt: { keys: { k2: OTHER_KEY }, current: "k2" } });
    expect(rotated.decode(old)).toEqual(value);
    expect(dropped.decode(rotated.encode(value))).toEqual(value);
    expect(failure(() => dropped.decode(old)).reason).toBe("key");
  });

  it("aad binds a value to its place", () => {
    const stored = codec.encode(value, { aad: "users:1" });
    expect(codec.decode(stored, { aad: Buffer.from("users:1") })).toEqual(value);
    expect(failure(() => codec.decode(stored, { aad: "users:2" })).reason).toBe("corrupt");
    expect(failure(() => codec.decode(stored)).reason).toBe("corrupt");
  });

  it("another key under the same id counts as damage", () => {
    const wrong = createCodec({ encrypt: { keys: { k1: OTHER_KEY }, current: "k1" } });
    expect(failure(() => wrong.decode(codec.encode(value))).reason).toBe("corrupt");
  });

  it("plain values are refused unless a migration allows them", () => {
    const plain = jsonCodec.encode(value);
    expect(failure(() => codec.decode(plain)).reason).toBe("key");
    expect(failure(() => codec.decode(jsonCodec.encode(undefined))).reason).toBe("key");
    expect(createCodec({ encrypt: { ...encrypt, allowPlaintext: true } }).decode(plain)).toEqual(value);
  });

  it.each([
    ["hex", KEY.toString("hex")],
    ["base64", KEY.toString("base64")],
    ["base64url", KEY.toString("base64url")],
    ["Uint8Array", new Uint8Array(KEY)],
  ])("keys in %s", (_, key) => {
    expect(createCodec({ encrypt: { keys: { k1: key }, current: "k1" } }).decode(codec.encode(value))).toEqual(value);
  });
});
