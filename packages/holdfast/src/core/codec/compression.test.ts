/**
 * What could go wrong, and the test for it:
 * - a value grows, or becomes unreadable, by being compressed ... "only where it helps", "could not be decompressed again"
 * - damaged, cut off or too large values are read ............... "cut off, damaged and too large values"
 * - the runtime does not have the algorithm ..................... "zstd is refused by name"
 */
import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Codec, createCodec, jsonCodec } from "./codec.ts";
import { failure } from "../../../test/support/codec.ts";

const hasZstd = "zstdCompressSync" in zlib;
const createZstd = (): Codec<unknown> => createCodec({ compress: { algorithm: "zstd", threshold: 0 } });

describe("compression", () => {
  const text = "all work and no play ".repeat(200);
  const noise = randomBytes(3000);

  it.each(["gzip", "brotli"] as const)("%s only above the threshold, and only where it helps", (algorithm) => {
    const codec = createCodec({ compress: { algorithm, threshold: 1000 } });
    expect(codec.encode(text).length).toBeLessThan(200);
    expect(codec.encode("a".repeat(900))).toEqual(jsonCodec.encode("a".repeat(900)));
    const bytes = createCodec({ serializer: "bytes", compress: { algorithm, threshold: 0 } });
    expect(bytes.encode(noise)).toEqual(createCodec({ serializer: "bytes" }).encode(noise));
  });

  it.each(["gzip", "brotli"] as const)("%s: cut off, damaged and too large values", (algorithm) => {
    const stored = createCodec({ compress: { algorithm } }).encode(text);
    expect(failure(() => jsonCodec.decode(stored.subarray(0, -9))).reason).toBe("truncated");
    const damaged = Buffer.from(stored);
    damaged.fill(0xff, 2, 12);
    expect(failure(() => jsonCodec.decode(damaged)).reason).toBe("corrupt");
    const bounded = failure(() => createCodec({ maxOutputLength: 4000 }).decode(stored));
    expect([bounded.reason, bounded.message]).toEqual(["corrupt", expect.stringContaining("4000 bytes")]);
  });

  it("a value that could not be decompressed again is not compressed", () => {
    const codec = createCodec({ compress: {}, maxOutputLength: 4000 });
    expect(codec.decode(codec.encode(text))).toBe(text);
  });

  it.runIf(hasZstd)("zstd: small, and cut off and damaged values are refused", () => {
    const stored = createZstd().encode(text);
    expect(stored.length).toBeLessThan(200);
    expect(jsonCodec.decode(stored)).toBe(text);
    expect(failure(() => jsonCodec.decode(stored.subarray(0, -3))).reason).toBe("truncated");
    stored[stored.length - 1]! ^= 1;
    expect(failure(() => jsonCodec.decode(stored)).reason).toBe("corrupt");
  });

  it.runIf(!hasZstd)("zstd is refused by name where the runtime does not have it", () => {
    expect(createZstd).toThrow(expect.objectContaining({ field: "compress.algorithm" }));
  });
});
