import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { RequestTerms, Waiting } from "../core/lease/request.ts";

/** `strict`: nobody passes the first in the queue; `first-fit`: who needs fewer permits may. */
export type SemaphoreOrder = "strict" | "first-fit";

export interface SemaphoreOptions {
  /** How many permits there are, as long as `resize` has stored no other limit. */
  readonly permits: number;
  /** How long permits outlive a holder that died. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Renew what is held until it is released, lost or held for `maxHold`. @default true */
  readonly renew?: boolean;
  /** After so long the holder's signal aborts and its permits are no longer renewed. `false`: no limit. @default "1h" */
  readonly maxHold?: Duration | false;
  /** Who comes next where somebody waits for several permits. With `first-fit` a request for many may starve. @default "strict" */
  readonly order?: SemaphoreOrder;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface SemaphoreTryAcquireOptions {
  /** How many permits, all or none. @default 1 */
  readonly permits?: number;
}

export interface SemaphoreAcquireOptions extends SemaphoreTryAcquireOptions {
  /** How long to wait for them, with all requests; 0 asks once. @default "30s" */
  readonly wait?: Duration;
  /** Stops the waiting. No effect once they are acquired. */
  readonly signal?: AbortSignal;
}

export interface SemaphoreInfoOptions {
  /** How many holders to return at most, those first whose permits expire first. @default 100 */
  readonly holders?: number;
}

export interface SemaphoreSettings extends RequestTerms {
  readonly limit: number;
  readonly strict: boolean;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;
export const MAX_PERMITS = 1_000_000;
const MAX_HOLDERS = 1_000;

const OPTIONS: OptionNames<SemaphoreOptions> = {
  permits: true,
  ttl: true,
  renew: true,
  maxHold: true,
  order: true,
  timeout: true,
};
const TRY_OPTIONS: OptionNames<SemaphoreTryAcquireOptions> = { permits: true };
const ACQUIRE_OPTIONS: OptionNames<SemaphoreAcquireOptions> = { permits: true, wait: true, signal: true };
const INFO_OPTIONS: OptionNames<SemaphoreInfoOptions> = { holders: true };

export function semaphoreSettings(
  label: string,
  options: SemaphoreOptions,
  defaultTimeoutMs: number,
): SemaphoreSettings {
  return parseOptions(label, options, OPTIONS, (given) => {
    const { permits, ttl = "10s", renew = true, maxHold = "1h", order = "strict", timeout } = given;
    if (typeof renew !== "boolean") throw new InvalidArgumentError("renew", "true or false", renew);
    if (order !== "strict" && order !== "first-fit")
      throw new InvalidArgumentError("order", '"strict" or "first-fit"', order);
    return {
      limit: wholeBetween("permits", permits, 1, MAX_PERMITS),
      ttlMs: toMs("ttl", ttl, MIN_TTL_MS),
      renew,
      maxHoldMs: maxHold === false ? Infinity : toMs("maxHold", maxHold),
      strict: order === "strict",
      timeoutMs: timeout === undefined ? defaultTimeoutMs : toTimerMs("timeout", timeout),
    };
  });
}

/** @returns how many permits, and how long to wait for them */
export function asked(label: string, options: SemaphoreAcquireOptions | undefined): Waiting & { count: number } {
  return parseOptions(label, options, ACQUIRE_OPTIONS, ({ permits = 1, wait = "30s", signal }) => ({
    count: wholeBetween("permits", permits, 1, MAX_PERMITS),
    waitMs: toMs("wait", wait, 0),
    signal: checkSignal(signal),
  }));
}

export function askedOnce(label: string, options: SemaphoreTryAcquireOptions | undefined): number {
  return parseOptions(label, options, TRY_OPTIONS, ({ permits = 1 }) =>
    wholeBetween("permits", permits, 1, MAX_PERMITS),
  );
}

export function holdersAsked(label: string, options: SemaphoreInfoOptions | undefined): number {
  return parseOptions(label, options, INFO_OPTIONS, ({ holders = 100 }) =>
    wholeBetween("holders", holders, 0, MAX_HOLDERS),
  );
}
