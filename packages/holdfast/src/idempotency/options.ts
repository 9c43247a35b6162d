import { createHash } from "node:crypto";
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { FinalError, type StoredError } from "./final-error.ts";

export interface IdempotencyOptions<V = unknown> extends CodecOptions<V> {
  /** How long an outcome is kept, and what is known of runs that failed. @default "24h" */
  readonly ttl?: Duration;
  /** How long a run outlives its process; renewed at each third of it. @default "10s" */
  readonly lease?: Duration;
  /** After so long the run's signal aborts and its lease is no longer renewed. @default "1h" */
  readonly maxHold?: Duration;
  /** `success`: final errors are not stored either; the next caller runs the function, with whatever fingerprint. @default "all" */
  readonly store?: "all" | "success";
  /** Which other errors are outcomes, to be stored and thrown again. @default those of the class FinalError alone */
  readonly isFinal?: (error: unknown) => boolean;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface IdempotencyRunOptions {
  /** What the call is about, such as its body: a call of the same key with another one is refused. Only a hash of it is sent. */
  readonly fingerprint?: string | Uint8Array;
  /** How long to wait for a run of the same key that is under way. @default "30s"; 0 for `tryRun` */
  readonly wait?: Duration;
  /** Ends the waiting. No effect once the function has been called. */
  readonly signal?: AbortSignal;
}

export interface IdempotencySettings<V> {
  readonly ttlMs: number;
  readonly leaseMs: number;
  readonly maxHoldMs: number;
  readonly storesErrors: boolean;
  readonly isFinal: (error: unknown) => boolean;
  readonly timeoutMs: number;
  readonly codec: Codec<V>;
  readonly hasSchema: boolean;
  readonly errors: Codec<StoredError>;
}

export interface IdempotencyRequest {
  readonly print: string;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_LEASE_MS = 100;
/** For calls without a fingerprint: they agree with any. */
const NO_PRINT = "-";

const OPTIONS: OptionNames<IdempotencyOptions> = {
  ...CODEC_OPTIONS,
  ttl: true,
  lease: true,
  maxHold: true,
  store: true,
  isFinal: true,
  timeout: true,
};
const RUN_OPTIONS: OptionNames<IdempotencyRunOptions> = { fingerprint: true, wait: true, signal: true };

export function idempotencySettings<V>(
  where: string,
  core: Core,
  given: IdempotencyOptions<V> | undefined,
): IdempotencySettings<V> {
  return parseOptions(where, given, OPTIONS, (options) => {
    const { ttl = "24h", lease = "10s", maxHold = "1h", store = "all", isFinal, timeout, ...codec } = options;
    if (store !== "all" && store !== "success") throw new InvalidArgumentError("store", '"all" or "success"', store);
    if (isFinal !== undefined && typeof isFinal !== "function")
      throw new InvalidArgumentError("isFinal", "a function of the error", isFinal);
    const { compress, encrypt, maxOutputLength } = options;
    return {
      ttlMs: toMs("ttl", ttl),
      leaseMs: toTimerMs("lease", lease, MIN_LEASE_MS),
      maxHoldMs: toMs("maxHold", maxHold),
      storesErrors: store === "all",
      isFinal: (error) => error instanceof FinalError || isFinal?.(error) === true,
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
      codec: core.codec<V>(codec),
      hasSchema: options.schema !== undefined,
      errors: core.codec<StoredError>({
        serializer: "json",
        compress,
        encrypt,
        maxOutputLength,
      }),
    };
  });
}

export function idempotencyRequest(
  entry: string,
  given: IdempotencyRunOptions | undefined,
  defaultWait: Duration,
): IdempotencyRequest {
  const { fingerprint, wait = defaultWait, signal } = givenOptions(given, RUN_OPTIONS);
  return { print: printOf(entry, fingerprint), waitMs: toMs("wait", wait, 0), signal: checkSignal(signal) };
}

/** Bound to its key, so that equal ones of two keys cannot be told from the server's data. */
function printOf(entry: string, fingerprint: string | Uint8Array | undefined): string {
  if (fingerprint === undefined) return NO_PRINT;
  if (typeof fingerprint !== "string" && !(fingerprint instanceof Uint8Array))
    throw new InvalidArgumentError("fingerprint", "text or bytes", fingerprint);
  return createHash("sha256").update(`${entry.length}:${entry}:`).update(fingerprint).digest("base64url").slice(0, 24);
}
