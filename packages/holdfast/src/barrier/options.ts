import { checkSignal } from "../base/abort.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import type { Waiting } from "../core/lease/request.ts";

export interface BarrierOptions {
  /** How many enter together, 1 to 1000; the same in all processes. */
  readonly parties: number;
  /** After so long one that died breaks the barrier. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface BarrierWaitOptions {
  /** How long to wait for the others, with all requests. @default "30s" */
  readonly timeout?: Duration;
  /** Ends the waiting. @default none */
  readonly signal?: AbortSignal;
}

export interface BarrierSettings {
  readonly parties: number;
  readonly ttlMs: number;
  readonly timeoutMs: number;
}

const MAX_PARTIES = 1_000;
/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;
const OPTIONS: OptionNames<BarrierOptions> = { parties: true, ttl: true, timeout: true };
const WAIT_OPTIONS: OptionNames<BarrierWaitOptions> = { timeout: true, signal: true };

export function barrierSettings(core: Core, label: string, given: BarrierOptions): BarrierSettings {
  return parseOptions(label, given, OPTIONS, ({ parties, ttl = "10s", timeout }) => ({
    parties: wholeBetween("parties", parties, 1, MAX_PARTIES),
    ttlMs: toMs("ttl", ttl, MIN_TTL_MS),
    timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
  }));
}

export function waiting(label: string, given: BarrierWaitOptions | undefined): Waiting {
  return parseOptions(label, given, WAIT_OPTIONS, ({ timeout = "30s", signal }) => ({
    waitMs: toMs("timeout", timeout),
    signal: checkSignal(signal),
  }));
}
