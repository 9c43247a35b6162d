import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type LockDurability, lockDurability, type LockDurabilitySettings } from "./durability.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";

export interface LockOptions {
  /** How long the lock outlives a holder that died. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Renew it until it is released, lost or held for `maxHold`. @default true */
  readonly renew?: boolean;
  /**
   * After so long the lock's signal aborts and it is no longer renewed, so that a stuck holder cannot keep it for ever.
   * `false`: no limit, for a lock that elects a leader.
   * @default "1h"
   */
  readonly maxHold?: Duration | false;
  /**
   * Who holds the lock. Requests of one owner share it, with one fence; it is free when the last of them has released it.
   * @default a random token per request: nobody else gets in, neither does the same code a second time
   */
  readonly owner?: string;
  /** List it among those that `hf.locks.list()` returns: one more script per acquire, renewal and release, for which nobody waits. @default false */
  readonly index?: boolean;
  /** Counts a grant, and each renewal, only once so many replicas have it (WAIT). @default the primary alone */
  readonly durability?: LockDurability;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface LockAcquireOptions {
  /** How long to wait for the lock, with all requests; 0 asks once. @default "30s" */
  readonly wait?: Duration;
  /** Stops the waiting. No effect once the lock is acquired. */
  readonly signal?: AbortSignal;
}

export interface LockSettings {
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly maxHoldMs: number;
  readonly owner: string | undefined;
  readonly index: boolean;
  readonly durability: LockDurabilitySettings | undefined;
  readonly timeoutMs: number;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;
const MAX_OWNER_LENGTH = 256;

const OPTIONS: OptionNames<LockOptions> = {
  ttl: true,
  renew: true,
  maxHold: true,
  owner: true,
  index: true,
  durability: true,
  timeout: true,
};
const ACQUIRE_OPTIONS: OptionNames<LockAcquireOptions> = { wait: true, signal: true };

export function lockSettings(name: string, options: LockOptions | undefined, defaultTimeoutMs: number): LockSettings {
  return parseOptions(
    lockLabel(name),
    options,
    OPTIONS,
    ({ ttl = "10s", renew = true, maxHold = "1h", owner, index = false, durability, timeout }) => {
      if (typeof renew !== "boolean") throw new InvalidArgumentError("renew", "true or false", renew);
      if (typeof index !== "boolean") throw new InvalidArgumentError("index", "true or false", index);
      const ttlMs = toMs("ttl", ttl, MIN_TTL_MS);
      return {
        ttlMs,
        renew,
        maxHoldMs: maxHold === false ? Infinity : toMs("maxHold", maxHold),
        owner: owner === undefined ? undefined : checkText("owner", owner, MAX_OWNER_LENGTH),
        index,
        durability: durability === undefined ? undefined : lockDurability(durability, ttlMs),
        timeoutMs: timeout === undefined ? defaultTimeoutMs : toTimerMs("timeout", timeout),
      };
    },
  );
}

export function waiting(
  label: string,
  options: LockAcquireOptions | undefined,
): { readonly waitMs: number; readonly signal: AbortSignal | undefined } {
  return parseOptions(label, options, ACQUIRE_OPTIONS, ({ wait = "30s", signal }) => ({
    waitMs: toMs("wait", wait, 0),
    signal: checkSignal(signal),
  }));
}

/** The lock as messages name it. */
export function lockLabel(name: string): string {
  return `lock ${JSON.stringify(name)}`;
}
