/**
 * What could go wrong, and the test for each:
 * - a stored message cannot be read after an update ... "is read as it was", "is written as it was"
 * - a text is not stored as its codec would ......... "what is encoded as a text"
 * - a field is lost or taken for another .............. "any message is read as it was written"
 * - bytes of somebody else crash a reader ............. "other bytes are refused"
 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CodecError } from "../../base/errors.ts";
import { createCodec } from "../codec/codec.ts";
import { type Frame, frameLength, type LogMessage, varintLength, writeFrame } from "./frame.ts";
import { LogPack, newsOf } from "./pack.ts";

interface Golden {
  readonly name: string;
  readonly hex: string;
  readonly messages: readonly (Omit<LogMessage, "payload"> & { readonly payload: string })[];
}

/** Never changed: a new format gets a new file. */
const golden = JSON.parse(readFileSync(new URL("golden/v1.json", import.meta.url), "utf8")) as readonly Golden[];

function written(messages: readonly LogMessage[]): Buffer {
  return Buffer.concat(
    messages.map((message) => {
      const length = frameLength(message);
      const bytes = Buffer.alloc(length + varintLength(length));
      expect(writeFrame(message, length, bytes, 0)).toBe(bytes.length);
      return bytes;
    }),
  );
}

function read(bytes: Buffer, count: number): LogMessage[] {
  return new LogPack(1, 1, count, 1, bytes).frames.map(plain);
}

function plain({ key, id, headers, delayMs, ttlMs, priority, mark, payload }: Frame): LogMessage {
  const own = Object.keys(headers).length === 0 ? undefined : { ...headers };
  return { key, id, headers: own, delayMs, ttlMs, priority, mark, payload: Buffer.from(payload) };
}

const messageOf = ({ payload, ...rest }: Golden["messages"][number]): LogMessage => ({
  ...rest,
  payload: Buffer.from(payload, "hex"),
});

function failureOf(task: () => unknown): unknown {
  try {
    task();
    return undefined;
  } catch (error) {
    return error;
  }
}

const text = fc.string({ unit: "grapheme", maxLength: 200 });
const number = fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });
const message = fc.record({
  key: fc.option(text, { nil: undefined }),
  id: fc.option(text, { nil: undefined }),
  headers: fc.option(fc.dictionary(text, text, { minKeys: 1 }), { nil: undefined }),
  delayMs: number,
  ttlMs: number,
  priority: number,
  mark: number,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

describe("frames", () => {
  it.each(golden)("$name is read as it was, and is written as it was", ({ hex, messages }) => {
    const bytes = Buffer.from(hex, "hex");
    expect(read(bytes, messages.length)).toEqual(messages.map(messageOf));
    expect(written(messages.map(messageOf)).toString("hex")).toBe(hex);
  });

  it("any message is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const found = read(written(messages), messages.length);
        expect(found).toEqual(messages.map((each) => ({ ...each, headers: each.headers && { ...each.headers } })));
      }),
    );
  });

  it("what is encoded as a text is stored as its codec would store it", () => {
    const codecs = [createCodec(), createCodec({ strict: false })];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...codecs), (value, codec) => {
        const [part, whole] = [codec.encodePart(value), codec.encode(value)];
        expect(written([{ payload: part, key: "k" }])).toEqual(written([{ payload: whole, key: "k" }]));
      }),
    );
    const codec = createCodec();
    expect(codec.encodePart(["ä", "\ud800"])).toBeTypeOf("string");
    expect(codec.encodePart(undefined)).toEqual(codec.encode(undefined));
    expect(() => codec.encodePart(new Date())).toThrow(CodecError);
  });

  it("other bytes are refused: by a CodecError, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (bytes, count) => {
        const error = failureOf(() =>
          new LogPack(1, 1, count, 1, Buffer.from(bytes)).frames.map(({ headers }) => headers),
        );
        expect(error === undefined || error instanceof CodecError).toBe(true);
      }),
    );
  });

  it("news: with the messages, without them, and what is none", () => {
    const bytes = written([{ payload: Buffer.from("x") }]);
    const news = newsOf(Buffer.concat([Buffer.from("5 7 1 99\n"), bytes]));
    expect(news).toMatchObject({ epoch: 5, first: 7, last: 7, at: 99 });
    expect(news!.pack!.frame(7).payload.toString()).toBe("x");
    expect(newsOf(Buffer.from("5 7 3 99\n"))).toEqual({ epoch: 5, first: 7, last: 9, at: 99, pack: undefined });
    for (const other of ["", "5 7 3 99", "a b c d\n", "5 7 3\n"]) expect(newsOf(Buffer.from(other))).toBeUndefined();
  });
});
