/**
 * What could go wrong, and the test for it: a value, a stored text or a key in a message or a cause, and from there in a
 * log. Each error is made with a secret planted where it could get in, and searched as deep as it goes.
 */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { HoldfastError } from "../../base/errors.ts";
import { createCodec, jsonCodec } from "./codec.ts";
import { anyReader } from "../../../test/support/codec.ts";

const KEY = randomBytes(32);
const encrypt = { keys: { k1: KEY }, current: "k1" };

describe("nothing stored and no key is ever in an error", () => {
  const SECRET = "hunter2-4111";
  const secretive = { "~standard": { version: 1, vendor: "test", validate: quoting } } as const;
  function quoting(value: unknown): never {
    throw new Error(`bad ${JSON.stringify(value)}`);
  }
  const issuing = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => ({ issues: [{ message: `got ${JSON.stringify(value)}`, path: ["card"] }] }),
    },
  } as const;
  const framed = (serializer: number, payload: string): Buffer =>
    Buffer.concat([Buffer.from([0xf9, serializer]), Buffer.from(payload)]);
  const leaking = {
    get card(): string {
      throw new Error(SECRET);
    },
  };
  const circular: Record<string, unknown> = { card: SECRET };
  circular["self"] = circular;
  const withKeys = (keys: unknown, current: unknown = "k"): (() => unknown) => {
    return () => createCodec({ encrypt: { keys, current } as never });
  };

  it.each<[string, () => unknown]>([
    ["damaged JSON", () => jsonCodec.decode(framed(1, SECRET))],
    ["damaged structured", () => anyReader.decode(framed(2, `["${SECRET}`))],
    ["a type that structured does not know", () => anyReader.decode(framed(2, `[["${SECRET}",1]]`))],
    ["damaged MessagePack", () => anyReader.decode(framed(3, SECRET))],
    ["foreign text", () => jsonCodec.decode(Buffer.from(SECRET))],
    ["a schema that throws", () => createCodec({ schema: secretive }).encode({ card: SECRET })],
    ["a schema that has issues", () => createCodec({ schema: issuing }).encode({ card: SECRET })],
    ["a schema that a stored value fails", () => createCodec({ schema: issuing }).decode(framed(1, `"${SECRET}"`))],
    ["a getter that throws, by JSON", () => jsonCodec.encode(leaking)],
    ["a getter that throws, by loose JSON", () => createCodec({ strict: false }).encode(leaking)],
    ["a getter that throws, by structured", () => createCodec({ serializer: "structured" }).encode(leaking)],
    ["a getter that throws, by MessagePack", () => createCodec({ serializer: "msgpack" }).encode(leaking)],
    ["a circle, by loose JSON", () => createCodec({ strict: false }).encode([circular])],
    ["a function, by structured", () => createCodec({ serializer: "structured" }).encode([circular, () => SECRET])],
    ["a Map, by JSON", () => jsonCodec.encode(new Map([[SECRET, SECRET]]))],
    ["an unknown key id", () => createCodec({ encrypt }).decode(framed(0x42, `\x20${SECRET.repeat(5)}`))],
    ["keys that are a key", withKeys(SECRET)],
    ["a key as the id of itself", withKeys({ [SECRET]: SECRET })],
    ["a key that is too short", withKeys({ k: SECRET })],
    ["a key as current", withKeys({ k: KEY }, SECRET)],
    ["encrypt that is a key", () => createCodec({ encrypt: SECRET as never })],
    ["an option of encrypt that is a key", () => createCodec({ encrypt: { [SECRET]: 1 } as never })],
  ])("%s", (_, run) => {
    const error = thrown(run);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2|4111/);
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
