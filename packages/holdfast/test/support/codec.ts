/** What the tests of the codec share. */
import { CodecError } from "../../src/base/errors.ts";
import { createCodec } from "../../src/core/codec/codec.ts";

export const SERIALIZERS = ["json", "structured", "msgpack", "bytes"] as const;

/** Reads what any of them wrote. */
export const anyReader = createCodec({ reads: SERIALIZERS });

export function failure(run: () => unknown): CodecError {
  try {
    run();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
