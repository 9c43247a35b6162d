import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError, said } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";
import type { RequestTerms, Waiting } from "../core/lease/request.ts";

export interface RedlockOptions {
  /**
   * The longest `ttl` of all locks on these servers, in all processes. So long a server that came back does not vote, as it may
   * have forgotten to whom it gave its vote. @default "30s"
   */
  readonly maxTtl?: Duration;
  /** `false`: a server that came back votes at once, as it forgets nothing (`appendfsync always`). @default true */
  readonly delayedRestart?: boolean;
  /** How long one server may take to answer: far less than a ttl. @default a 20th of the lock's `ttl`, 50 ms to 1 s */
  readonly timeout?: Duration;
  /** Pause after an attempt that failed, half as much to half as much again. @default "100ms" */
  readonly retryDelay?: Duration;
}

export interface RedlockLockOptions {
  /** How long the lock outlives a holder that died; at most `maxTtl`. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Renew it until it is released, lost or held for `maxHold`. @default true */
  readonly renew?: boolean;
  /** After so long the lock's signal aborts and it is no longer renewed. `false`: no limit. @default "1h" */
  readonly maxHold?: Duration | false;
}

export interface RedlockAcquireOptions {
  /** How long to wait for the lock, with all attempts; 0 tries once. @default "30s" */
  readonly wait?: Duration;
  /** Stops the waiting. No effect once the lock is acquired. */
  readonly signal?: AbortSignal;
}

export interface RedlockSettings {
  readonly maxTtlMs: number;
  readonly delayedRestart: boolean;
  readonly timeoutMs: number | undefined;
  readonly retryDelayMs: number;
}

export interface RedlockTerms extends RequestTerms {
  readonly maxTtlMs: number;
  readonly retryDelayMs: number;
}

/** Below this the answers can hardly come in time. */
const MIN_TTL_MS = 100;
const [MIN_TIMEOUT_MS, MAX_TIMEOUT_MS] = [50, 1_000];
const TIMEOUT_PART = 1 / 20;

const OPTIONS: OptionNames<RedlockOptions> = { maxTtl: true, delayedRestart: true, timeout: true, retryDelay: true };
const LOCK_OPTIONS: OptionNames<RedlockLockOptions> = { ttl: true, renew: true, maxHold: true };
const ACQUIRE_OPTIONS: OptionNames<RedlockAcquireOptions> = { wait: true, signal: true };

export function redlockSettings(options: RedlockOptions | undefined): RedlockSettings {
  return parseOptions(
    "redlock",
    options,
    OPTIONS,
    ({ maxTtl = "30s", delayedRestart = true, timeout, retryDelay = "100ms" }) => {
      if (typeof delayedRestart !== "boolean")
        throw new InvalidArgumentError("delayedRestart", "true or false", delayedRestart);
      return {
        maxTtlMs: toTimerMs("maxTtl", maxTtl, MIN_TTL_MS),
        delayedRestart,
        timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
        retryDelayMs: toTimerMs("retryDelay", retryDelay),
      };
    },
  );
}

export function redlockTerms(
  label: string,
  options: RedlockLockOptions | undefined,
  { maxTtlMs, retryDelayMs, timeoutMs: given }: RedlockSettings,
): RedlockTerms {
  return parseOptions(label, options, LOCK_OPTIONS, (checked) => {
    const { ttl = Math.min(10_000, maxTtlMs), renew = true, maxHold = "1h" } = checked;
    if (typeof renew !== "boolean") throw new InvalidArgumentError("renew", "true or false", renew);
    const ttlMs = checkTtl(toMs("ttl", ttl, MIN_TTL_MS), maxTtlMs);
    const timeoutMs = given ?? Math.min(Math.max(ttlMs * TIMEOUT_PART, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS);
    if (timeoutMs > ttlMs / 2) {
      const got = said(`${timeoutMs} ms, with a ttl of ${ttlMs} ms`);
      throw new InvalidArgumentError("timeout", "half of the ttl at most", got);
    }
    const maxHoldMs = maxHold === false ? Infinity : toMs("maxHold", maxHold);
    return { ttlMs, renew, maxHoldMs, timeoutMs: Math.ceil(timeoutMs), maxTtlMs, retryDelayMs };
  });
}

/** @throws InvalidArgumentError for a ttl that others do not wait for after a restart */
export function checkTtl(ttlMs: number, maxTtlMs: number): number {
  if (ttlMs <= maxTtlMs) return ttlMs;
  throw new InvalidArgumentError("ttl", `at most ${maxTtlMs} ms, the maxTtl of this redlock`, ttlMs);
}

export function redlockWaiting(label: string, options: RedlockAcquireOptions | undefined): Waiting {
  return parseOptions(label, options, ACQUIRE_OPTIONS, ({ wait = "30s", signal }) => ({
    waitMs: toMs("wait", wait, 0),
    signal: checkSignal(signal),
  }));
}
