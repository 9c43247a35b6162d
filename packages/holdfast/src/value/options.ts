import { checkSignal } from "../base/abort.ts";
import { type Duration, type OptionNames, parseOptions, toTimerMs, wholeBetween } from "../base/options.ts";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";

export interface ValueOptions<V> extends CodecOptions<V> {
  /** What is read where nothing is stored, with version 0. @default nothing */
  readonly initial?: V;
  /** How often `update` tries when other writes intervene. @default 10 */
  readonly attempts?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface ValueUpdateOptions<V> {
  /** What `change` is given where nothing is stored. @default the value's `initial`; without that the answer is `missing` */
  readonly initial?: V;
}

export interface ValueWatchOptions {
  /** Ends the iteration. @default none */
  readonly signal?: AbortSignal;
}

export interface ValueSettings<V> {
  readonly codec: Codec<V>;
  readonly initial: V | undefined;
  readonly attempts: number;
  readonly timeoutMs: number;
}

const OPTIONS: OptionNames<ValueOptions<unknown>> = { ...CODEC_OPTIONS, initial: true, attempts: true, timeout: true };
const WATCH_OPTIONS: OptionNames<ValueWatchOptions> = { signal: true };
export const UPDATE_OPTIONS: OptionNames<ValueUpdateOptions<unknown>> = { initial: true };

export function valueSettings<V>(core: Core, label: string, given: ValueOptions<V> | undefined): ValueSettings<V> {
  return parseOptions(label, given as ValueOptions<unknown> | undefined, OPTIONS, (options) => {
    const { initial, attempts = 10, timeout } = options as ValueOptions<V>;
    return {
      codec: core.codec<V>(options as ValueOptions<V>),
      initial,
      attempts: wholeBetween("attempts", attempts, 1, 1_000),
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
    };
  });
}

export function watching(label: string, given: ValueWatchOptions | undefined): AbortSignal | undefined {
  return parseOptions(label, given, WATCH_OPTIONS, ({ signal }) => checkSignal(signal));
}
