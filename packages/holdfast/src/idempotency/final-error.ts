/** Errors that are outcomes: stored like a value, and thrown again to whoever repeats the call. */
import { CodecError } from "../base/errors.ts";
import type { Codec } from "../core/codec/codec.ts";

export interface FinalErrorDetails {
  readonly code?: string | number | undefined;
  /** What JSON can hold. */
  readonly data?: unknown;
  readonly cause?: unknown;
}

/**
 * Thrown by a function that has decided: the card is declined, the seat is taken. It is stored, and a repeat throws it again
 * instead of trying again.
 * @example
 * throw new FinalError("the card was declined", { code: "card_declined", data: { reason } });
 */
export class FinalError extends Error {
  override readonly name: string = "FinalError";
  readonly code: string | number | undefined;
  readonly data: unknown;

  constructor(message: string, { code, data, cause }: FinalErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = data;
  }
}

/** As it is stored. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly data?: unknown;
}

const MAX_NAME = 100;

/** @throws CodecError for `data` that JSON cannot hold */
export function encodeError(codec: Codec<StoredError>, error: unknown, entry: string): Buffer {
  const { name, message, code, data } = Object(error) as Partial<Record<string, unknown>>;
  const stored = {
    name: typeof name === "string" ? name.slice(0, MAX_NAME) : "Error",
    message: typeof message === "string" ? message : "",
    ...(typeof code === "string" || Number.isFinite(code) ? { code: code as string | number } : {}),
    ...(data === undefined ? {} : { data }),
  };
  try {
    return codec.encode(stored, { aad: entry });
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    const what = "the final error's `data` cannot be stored, so neither can the error";
    throw new CodecError(cause.reason, `${what}: ${cause.message}`, { cause });
  }
}

/** With the name, the message, the code and the data of the one that was thrown. */
export function decodeError(codec: Codec<StoredError>, payload: Buffer, entry: string): FinalError {
  const { name, message, code, data } = codec.decode(payload, { aad: entry });
  const error = new FinalError(message, { code, data });
  Object.defineProperty(error, "name", { value: name, configurable: true });
  return error;
}
