import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import { type Duration, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export interface RecordsOptions<T> extends Omit<CodecOptions<unknown>, "schema"> {
  /** A record expires this long after its last write. @default "90d" */
  readonly ttl?: Duration;
  /**
   * Checks the whole of a record whenever it is written, and whenever the whole of it is read; what it returns is stored,
   * and returned. It must be synchronous, and must accept its own output. @default none
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /** How often `update` tries when other writes intervene, 1 to 10000. @default 20 */
  readonly attempts?: number;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export const RECORDS_OPTIONS: OptionNames<RecordsOptions<object>> = {
  ...CODEC_OPTIONS,
  ttl: true,
  attempts: true,
  timeout: true,
};

const MAX_ATTEMPTS = 10_000;

export interface RecordSettings {
  readonly ttlMs: number;
  readonly attempts: number;
  readonly timeoutMs: number | undefined;
}

export function recordSettings<T>(options: RecordsOptions<T>): RecordSettings {
  return {
    ttlMs: toMs("ttl", options.ttl ?? "90d"),
    attempts: wholeBetween("attempts", options.attempts ?? 20, 1, MAX_ATTEMPTS),
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
  };
}
