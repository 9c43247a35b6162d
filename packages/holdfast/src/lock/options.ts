import { InvalidArgumentError } from "../base/errors.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { type Duration, toMs, toTimerMs } from "../base/options.ts";

export interface TryLockOptions {
  /** How long the lock outlives a holder that died. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /** Renew it until it is released, lost or held for `maxHold`. @default true */
  readonly renew?: boolean;
  /**
   * After so long the lock's signal fires and it is no longer renewed, so that a stuck holder cannot keep it for ever.
   * `false`: no limit, for a lock that elects a leader.
   * @default "1h"
   */
  readonly maxHold?: Duration | false;
  /**
   * Who holds the lock. Requests with one owner share it, with one fence; it is free when the last of them has released it.
   * @default a random token: nobody else gets in, neither does the same code a second time
   */
  readonly owner?: string;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface LockOptions extends TryLockOptions {
  /** How long to wait for the lock, with all requests; 0 asks once. @default "30s" */
  readonly wait?: Duration;
  /** Stops the waiting. Once the lock is acquired it has no effect any more. */
  readonly signal?: AbortSignal;
}

export interface LockSettings {
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly maxHoldMs: number;
  readonly owner: string | undefined;
  readonly timeoutMs: number;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;
const MAX_OWNER_LENGTH = 256;

export function lockSettings(options: TryLockOptions, defaultTimeoutMs: number): LockSettings {
  const renew = options.renew ?? true;
  if (typeof renew !== "boolean") throw new InvalidArgumentError("renew", "true or false", renew);
  const maxHold = options.maxHold ?? "1h";
  return {
    ttlMs: toMs("ttl", options.ttl ?? "10s", MIN_TTL_MS),
    renew,
    maxHoldMs: maxHold === false ? Infinity : toMs("maxHold", maxHold),
    owner: options.owner === undefined ? undefined : checkText("owner", options.owner, MAX_OWNER_LENGTH),
    timeoutMs: options.timeout === undefined ? defaultTimeoutMs : toTimerMs("timeout", options.timeout),
  };
}
