import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ProtocolError, RequestParser } from "./request-parser.ts";

const LIMITS = { authenticated: () => true, maxBulk: () => 1 << 20 };
const binary = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const requests = fc.array(fc.array(binary, { minLength: 1, maxLength: 5 }), { maxLength: 6 });

function bytesOf(commands: readonly (readonly string[])[]): Buffer {
  const text = commands.map(
    (args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`,
  );
  return Buffer.from(text.join(""), "latin1");
}

function drain(parser: RequestParser): string[][] {
  const found: string[][] = [];
  for (let next = parser.next(); next !== undefined; next = parser.next()) found.push(next);
  return found;
}

describe("the request parser", () => {
  it("finds the same requests wherever the chunks end", () => {
    fc.assert(
      fc.property(requests, fc.array(fc.integer({ min: 1, max: 40 })), (commands, sizes) => {
        const parser = new RequestParser(LIMITS);
        const bytes = bytesOf(commands);
        const found: string[][] = [];
        let at = 0;
        for (let i = 0; at < bytes.length; i += 1) {
          const size = sizes[i] ?? bytes.length;
          parser.feed(bytes.subarray(at, at + size));
          at += size;
          found.push(...drain(parser));
        }
        expect(found).toEqual(commands);
      }),
    );
  });

  it("takes a long value in many chunks", () => {
    const parser = new RequestParser(LIMITS);
    const value = "x".repeat(500_000);
    const bytes = bytesOf([["SET", "a", value], ["PING"]]);
    const found: string[][] = [];
    for (let at = 0; at < bytes.length; at += 1000) {
      parser.feed(bytes.subarray(at, at + 1000));
      found.push(...drain(parser));
    }
    expect(found).toEqual([["SET", "a", value], ["PING"]]);
  });

  it("copies no chunk twice while nobody reads", () => {
    const parser = new RequestParser(LIMITS);
    const commands = Array.from({ length: 2000 }, (_, at) => ["SET", `key:${at}`, "x".repeat(1000)]);
    const bytes = bytesOf(commands);
    for (let at = 0; at < bytes.length; at += 10_000) parser.feed(bytes.subarray(at, at + 10_000));
    const concat = vi.spyOn(Buffer, "concat");
    expect(drain(parser)).toEqual(commands);
    const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
    concat.mockRestore();
    expect(copied).toBeLessThan(bytes.length * 1.2);
    expect(parser.bufferedBytes).toBe(0);
  });

  it("gives up on a line without end", () => {
    for (const start of ["PING ", "*1", "*1\r\n$1"]) {
      const parser = new RequestParser(LIMITS);
      parser.feed(Buffer.from(start + "1".repeat(70_000)));
      expect(() => drain(parser)).toThrow(ProtocolError);
    }
  });
});
