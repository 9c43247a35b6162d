import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";
import type { RequestTerms, Waiting } from "../core/lease/request.ts";

export interface RwLockOptions {
  /** How long a hold outlives a holder that died. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Renew what is held until it is released, lost or held for `maxHold`. @default true */
  readonly renew?: boolean;
  /** After so long the holder's signal aborts and its hold is no longer renewed. `false`: no limit. @default "1h" */
  readonly maxHold?: Duration | false;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface RwLockAcquireOptions {
  /** How long to wait, with all requests; 0 asks once. @default "30s" */
  readonly wait?: Duration;
  /** Stops the waiting. No effect once it is acquired. */
  readonly signal?: AbortSignal;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;

const OPTIONS: OptionNames<RwLockOptions> = { ttl: true, renew: true, maxHold: true, timeout: true };
const ACQUIRE_OPTIONS: OptionNames<RwLockAcquireOptions> = { wait: true, signal: true };

export function rwLockSettings(
  label: string,
  options: RwLockOptions | undefined,
  defaultTimeoutMs: number,
): RequestTerms {
  return parseOptions(label, options, OPTIONS, ({ ttl = "10s", renew = true, maxHold = "1h", timeout }) => {
    if (typeof renew !== "boolean") throw new InvalidArgumentError("renew", "true or false", renew);
    return {
      ttlMs: toMs("ttl", ttl, MIN_TTL_MS),
      renew,
      maxHoldMs: maxHold === false ? Infinity : toMs("maxHold", maxHold),
      timeoutMs: timeout === undefined ? defaultTimeoutMs : toTimerMs("timeout", timeout),
    };
  });
}

export function waitingFor(label: string, options: RwLockAcquireOptions | undefined): Waiting {
  return parseOptions(label, options, ACQUIRE_OPTIONS, ({ wait = "30s", signal }) => ({
    waitMs: toMs("wait", wait, 0),
    signal: checkSignal(signal),
  }));
}
