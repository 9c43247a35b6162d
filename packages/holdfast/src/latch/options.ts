import { checkSignal } from "../base/abort.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import type { Waiting } from "../core/lease/request.ts";

export interface LatchOptions {
  /** How many must count down to open it, 1 to 10 000. A round that has begun keeps the count it began with. */
  readonly count: number;
  /** A round is forgotten so long after the last one counted down. @default "1h" */
  readonly ttl?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface LatchWaitOptions {
  /** How long to wait, with all requests. @default "30s" */
  readonly timeout?: Duration;
  /** Ends the waiting. @default none */
  readonly signal?: AbortSignal;
}

export interface LatchSettings {
  readonly count: number;
  readonly ttlMs: number;
  readonly timeoutMs: number;
}

const MAX_COUNT = 10_000;
const MAX_ID_LENGTH = 256;
const OPTIONS: OptionNames<LatchOptions> = { count: true, ttl: true, timeout: true };
const WAIT_OPTIONS: OptionNames<LatchWaitOptions> = { timeout: true, signal: true };

export function latchSettings(core: Core, label: string, given: LatchOptions): LatchSettings {
  return parseOptions(label, given, OPTIONS, ({ count, ttl = "1h", timeout }) => ({
    count: wholeBetween("count", count, 1, MAX_COUNT),
    ttlMs: toMs("ttl", ttl),
    timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
  }));
}

export function waiting(label: string, given: LatchWaitOptions | undefined): Waiting {
  return parseOptions(label, given, WAIT_OPTIONS, ({ timeout = "30s", signal }) => ({
    waitMs: toMs("timeout", timeout),
    signal: checkSignal(signal),
  }));
}

export function checkedId(id: string): string {
  return checkText("id", id, MAX_ID_LENGTH);
}
