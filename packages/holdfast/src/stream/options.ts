import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { LogPoint } from "../core/log/pack.ts";
import { parsePosition } from "../core/log/position.ts";

export interface StreamOptions<T> extends CodecOptions<T> {
  /** How long it is kept after the last chunk, or the end. @default "1h" */
  readonly ttl?: Duration;
  /** Of all chunks, as they are stored. A write beyond is `full`. @default 16777216 (16 MiB) */
  readonly maxBytes?: number;
  /** A producer that has not renewed in so long is taken for dead. @default "10s" */
  readonly lease?: Duration;
  /** How long another producer then has time to go on, before readers are told `aborted`. @default "5s" */
  readonly takeover?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface StreamReadOptions {
  /** `position` of the last chunk that was seen. @default "start" */
  readonly from?: "start" | (string & {});
  /** How long to wait for a stream that nobody has begun. @default "30s" */
  readonly wait?: Duration;
  /** Ends the reading, without an event. @default none */
  readonly signal?: AbortSignal;
}

export interface StreamSettings<T> {
  readonly codec: Codec<T>;
  /** Of the reasons with which streams are broken off: encrypted where chunks are. */
  readonly reasons: Codec<string>;
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly takeoverMs: number;
  readonly timeoutMs: number;
}

export interface StreamReading {
  /** Undefined: from the start. */
  readonly after: LogPoint | undefined;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

const OPTIONS: OptionNames<StreamOptions<unknown>> = {
  ...CODEC_OPTIONS,
  ttl: true,
  maxBytes: true,
  lease: true,
  takeover: true,
  timeout: true,
};
const READ_OPTIONS: OptionNames<StreamReadOptions> = { from: true, wait: true, signal: true };
const MIN_LEASE_MS = 100;

export function streamSettings<T>(core: Core, label: string, given?: StreamOptions<T>): StreamSettings<T> {
  return parseOptions(label, given as StreamOptions<unknown> | undefined, OPTIONS, (options) => {
    const { ttl = "1h", maxBytes = 2 ** 24, lease = "10s", takeover = "5s", timeout } = options;
    const leaseMs = toTimerMs("lease", lease, MIN_LEASE_MS);
    const takeoverMs = toTimerMs("takeover", takeover, 0);
    const ttlMs = toMs("ttl", ttl);
    if (ttlMs < leaseMs + takeoverMs)
      throw new InvalidArgumentError("ttl", "a duration no shorter than `lease` and `takeover` together", ttl);
    return {
      codec: core.codec<T>(options as StreamOptions<T>),
      reasons: core.codec<string>({ encrypt: options.encrypt, serializer: "json" }),
      ttlMs,
      maxBytes: wholeBetween("maxBytes", maxBytes, 1, 2 ** 30),
      leaseMs,
      takeoverMs,
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
    };
  });
}

export function streamReading(label: string, given?: StreamReadOptions): StreamReading {
  return parseOptions(label, given, READ_OPTIONS, ({ from = "start", wait = "30s", signal }) => ({
    after: from === "start" ? undefined : parsePosition("from", from)[0]!.point,
    waitMs: toTimerMs("wait", wait, 0),
    signal: checkSignal(signal),
  }));
}
