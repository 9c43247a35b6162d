/**
 * Values that were stored once, and must be readable for ever. `golden/v1.json` never changes: a new format gets a new file.
 * Plain ones are also written again; compressed bytes depend on zlib's version, encrypted ones on their nonce.
 */
import { readFileSync } from "node:fs";
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { CodecError } from "../../base/errors.ts";
import { createCodec, type Serializer } from "./codec.ts";

interface Golden {
  readonly name: string;
  readonly hex: string;
}

const golden = JSON.parse(readFileSync(new URL("golden/v1.json", import.meta.url), "utf8")) as readonly Golden[];
const keys = { old: "00".repeat(32), "2024-06": "0f".repeat(32) };
const aad = "users:42";
const reader = createCodec({
  encrypt: { keys, current: "old", allowPlaintext: true },
  reads: ["structured", "msgpack", "bytes"],
});

const record = { id: 42, name: "Ada Lovelace ✓", tags: ["a", "b"], score: -12.5, active: true, none: null };
const shared = { n: 1 };
const circular: Record<string, unknown> = { left: shared, right: shared };
circular["self"] = circular;

const VALUES: Record<string, unknown> = {
  record,
  text: "naïve – 日本語 🚀",
  null: null,
  undefined,
  bytes: Buffer.from("00ff80f901", "hex"),
  repeated: { lines: Array.from({ length: 64 }, (_, line) => `line ${line % 4} of a log that repeats itself`) },
  rich: {
    date: new Date("2024-02-29T12:34:56.789Z"),
    map: new Map<unknown, unknown>([
      ["a", 1],
      [2, new Set([1, "x"])],
    ]),
    big: 123_456_789_012_345_678_901_234_567_890n,
    bytes: new Uint8Array([0, 1, 254, 255]),
    numbers: [Number.NaN, Infinity, -Infinity, -0],
    missing: undefined,
    pattern: /^a.b$/giu,
    url: new URL("https://example.com/?q=1"),
  },
  circular,
  compact: {
    ...record,
    date: new Date("1969-07-20T20:17:40.123Z"),
    big: -(2n ** 80n),
    bytes: new Uint8Array([0, 1, 254, 255]),
    numbers: [Number.NaN, Infinity, 2 ** 53 - 1, -(2 ** 40), 0.1],
    long: "x".repeat(300),
  },
};

const hasZstd = "zstdDecompressSync" in zlib;

const unsupported: unknown = expect.objectContaining({ reason: "unsupported" });

function decoded(hex: string): unknown {
  try {
    return reader.decode(Buffer.from(hex, "hex"), { aad });
  } catch (error) {
    return error;
  }
}

describe("golden files, format 1", () => {
  it.each(golden)("$name is read", ({ name, hex }) => {
    const readable = hasZstd || !name.includes("zstd");
    const expected: unknown = readable ? VALUES[name.split(" ")[1]!] : unsupported;
    expect(decoded(hex)).toStrictEqual(expected);
  });

  it.each(golden.filter(({ name }) => !name.includes("+")))("$name is written as it was", ({ name, hex }) => {
    const [serializer, value] = name.split(" ");
    expect(
      createCodec({ serializer: serializer as Serializer })
        .encode(VALUES[value!])
        .toString("hex"),
    ).toBe(hex);
  });

  it("are what their names say, and cover each serializer, compression and encryption", () => {
    const flags = golden.map(({ hex }) => Number.parseInt(hex.slice(2, 4), 16));
    const named = golden.map(({ name }) => {
      const compression = ["gzip", "brotli", "zstd"].findIndex((algorithm) => name.includes(algorithm)) + 1;
      return (compression << 4) | (name.includes("aes") ? 0x40 : 0);
    });
    expect(flags.map((each) => each & 0x70)).toEqual(named);
    expect(new Set(flags.map((each) => each & 0x0f))).toEqual(new Set([0, 1, 2, 3, 15]));
    expect(new Set(named)).toEqual(new Set([0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70]));
  });

  it("an encrypted value decrypts only where it was stored", () => {
    const sealed = golden.find(({ name }) => name.includes("aes"));
    expect(() => reader.decode(Buffer.from(sealed?.hex ?? "", "hex"), { aad: "users:43" })).toThrow(CodecError);
  });
});
