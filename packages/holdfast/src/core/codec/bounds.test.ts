/**
 * What could go wrong, and the test for it:
 * - few stored bytes take all memory or time ......................... "bombs"
 * - a value is stored that is then refused as too large .............. "what would not be read is not written"
 */
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { createCodec } from "./codec.ts";
import { anyReader, failure } from "../../../test/support/codec.ts";

describe("bombs: what a few bytes may become is bounded", () => {
  const gzipped = (serializer: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0xf9, 0x10 | serializer]), zlib.gzipSync(payload)]);
  const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown;
  const text = (json: string): Buffer => Buffer.from(json);

  it.each<[string, Buffer, string]>([
    [
      "60 million MessagePack items",
      gzipped(3, Buffer.from([0xdd, 3, 0x93, 0x87, 0, ...Buffer.alloc(6e4)])),
      "cut off",
    ],
    [
      "15 million MessagePack items",
      gzipped(3, Buffer.concat([Buffer.from("dd00e4e1c0", "hex"), Buffer.alloc(15e6)])),
      "maxItems",
    ],
    [
      "maps of MessagePack in each other",
      gzipped(3, Buffer.concat([Buffer.alloc(300, 0x91), Buffer.alloc(1)])),
      "maxDepth",
    ],
    ["8 million JSON items", gzipped(1, text(`[${"0,".repeat(7.9e6)}0]`)), "maxItems"],
    ["a JSON array 1000 levels deep", gzipped(1, text("[".repeat(1000) + "]".repeat(1000))), "maxDepth"],
    ["an array of 2^32-1", Buffer.concat([Buffer.from([0xf9, 2]), text("[[-7,4294967295]]")]), "maxItems"],
    [
      "many sparse arrays",
      Buffer.concat([Buffer.from([0xf9, 2]), text(`[[1,2],${"[-7,600000],".repeat(2)}0]`)]),
      "maxItems",
    ],
    [
      "a bigint of a million digits",
      Buffer.concat([Buffer.from([0xf9, 2]), text(`[["BigInt","${"9".repeat(1e6)}"]]`)]),
      "digits",
    ],
    ["more bytes than maxOutputLength", gzipped(1, Buffer.alloc(17 * 1024 * 1024, 0x20)), "maxOutputLength"],
  ])("%s", (_, stored, option) => {
    expect(stored.length).toBeLessThan(1.1e6);
    expect(failure(() => anyReader.decode(stored)).message).toContain(option);
  });

  it.each(["json", "msgpack"] as const)("%s: what would not be read is not written", (serializer) => {
    const codec = createCodec({ serializer, maxItems: 10, maxDepth: 5 });
    const most = Array.from({ length: 10 }, (_, at) => at);
    expect(codec.decode(codec.encode(most))).toEqual(most);
    expect(codec.decode(codec.encode(nested(5)))).toEqual(nested(5));
    expect(failure(() => codec.encode([...most, 1])).message).toContain("more than 10 items");
    expect(failure(() => codec.encode(nested(6))).message).toContain("deeper than 5");
  });

  it("structured and loose JSON: what would not be read is not written", () => {
    const sparse: unknown[] = [];
    sparse[2_000_000] = 1;
    const many = Array.from({ length: 1000 }, (_, at) => at);
    expect(failure(() => createCodec({ serializer: "structured" }).encode(sparse)).message).toContain("maxItems");
    expect(failure(() => createCodec({ strict: false, maxItems: 10 }).encode(many)).message).toContain("maxItems");
    for (const serializer of ["structured", "msgpack"] as const) {
      expect(failure(() => createCodec({ serializer }).encode(10n ** 10_001n)).message).toContain("digits");
    }
  });

  it("strings full of commas and brackets are one item", () => {
    const codec = createCodec({ maxItems: 4, compress: { threshold: 0 }, maxDepth: 1 });
    const value = { text: '[{,"\\'.repeat(100), more: "\\" };
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });
});
