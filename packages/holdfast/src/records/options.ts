import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { CodecOptions } from "../core/codec/codec.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, toMs, toTimerMs } from "../base/options.ts";

const CODEC_OPTIONS = ["serializer", "strict", "compress", "encrypt", "maxOutputLength"] as const;

export interface RecordOptions<T> extends Pick<CodecOptions<unknown>, (typeof CODEC_OPTIONS)[number]> {
  /** A record ends this long after its last write. @default "90d" */
  readonly ttl?: Duration;
  /**
   * Checks the whole of a record whenever it is written, and whenever the whole of it is read; what it returns is what is
   * stored and what is given. It must be synchronous, and must accept its own output. @default none
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /** How often `update` tries again when other writes come between. @default 20 */
  readonly attempts?: number;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface RecordSettings {
  readonly ttlMs: number;
  readonly attempts: number;
  readonly timeoutMs: number | undefined;
}

export function recordSettings<T>(options: RecordOptions<T>): RecordSettings {
  const { attempts = 20 } = options;
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new InvalidArgumentError("attempts", "a whole number, 1 or more", attempts);
  return {
    ttlMs: toMs("ttl", options.ttl ?? "90d"),
    attempts,
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
  };
}

/** The codec is for one field at a time, so it does not get the schema of the whole. */
export function fieldCodecOptions<T>(options: RecordOptions<T>): CodecOptions<unknown> {
  const given = CODEC_OPTIONS.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}
