/**
 * Grants and renewals that count only once replicas have them. WAIT counts who has the last write of the connection that asks, so a
 * connection of its own first writes to the hold, which changes nothing: whoever has that write has the grant before it.
 */

import { type Duration, givenOptions, type OptionNames, toTimerMs, wholeBetween } from "../base/options.ts";
import { InvalidArgumentError, NotReplicatedError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import type { LeaseExtension } from "../core/lease/timed-lease.ts";
import type { Arg } from "../driver/port.ts";
import type { LockAnswer, LockRequest } from "./grant.ts";
import { ListedLockStore } from "./listed-store.ts";
import { confirm } from "./scripts.gen.ts";
import type { LockPaths } from "./store.ts";

export interface LockDurability {
  /** Replicas that must have a grant, and each renewal, before it counts. From 1 to 100. */
  readonly replicas: number;
  /** How long is waited for them; a third of the lock's ttl at most. @default "1s", or that third where it is less */
  readonly timeout?: Duration;
}

export interface LockDurabilitySettings {
  readonly replicas: number;
  readonly timeoutMs: number;
}

const OPTIONS: OptionNames<LockDurability> = { replicas: true, timeout: true };
const DEFAULT_TIMEOUT_MS = 1_000;

export function lockDurability(given: LockDurability, ttlMs: number): LockDurabilitySettings {
  const { replicas, timeout } = givenOptions(given, OPTIONS, "durability");
  const mostMs = Math.floor(ttlMs / 3);
  const timeoutMs =
    timeout === undefined ? Math.min(DEFAULT_TIMEOUT_MS, mostMs) : toTimerMs("durability.timeout", timeout);
  if (timeoutMs > mostMs) throw new InvalidArgumentError("durability.timeout", "a third of `ttl` at most", timeout);
  return { replicas: wholeBetween("durability.replicas", replicas, 1, 100), timeoutMs };
}

export class DurableLockStore extends ListedLockStore {
  readonly #core: Core;
  readonly #keys: { readonly lock: string; readonly holds: string };
  readonly #wanted: LockDurabilitySettings;

  constructor(
    core: Core,
    paths: LockPaths,
    { name, label, isListed }: { readonly name: string; readonly label: string; readonly isListed: boolean },
    wanted: LockDurabilitySettings,
  ) {
    super(core, paths, name, label, isListed);
    this.#core = core;
    const keys = core.keys.group("lock", name);
    this.#keys = { lock: keys.key, holds: keys.part("holds") };
    this.#wanted = wanted;
  }

  /** @throws NotReplicatedError: it was released again */
  override async acquire(request: LockRequest, place: number | undefined, call: AttemptCall): Promise<LockAnswer> {
    const answer = await super.acquire(request, place, call);
    if (answer.status === "acquired") await this.confirm(request, call, "lock.acquire");
    return answer;
  }

  /** @throws NotReplicatedError: it is as it was for its holder, who tries again until its deadline */
  override async extend(request: LockRequest, ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    const extension = await super.extend(request, ttlMs, call);
    if (extension === "extended") await this.#confirm(request, call, "lock.extend");
    return extension;
  }

  /** As it was acquired: what is not confirmed is released again. */
  async confirm(request: LockRequest, call: AttemptCall, op: string): Promise<void> {
    try {
      await this.#confirm(request, call, op);
    } catch (error) {
      await this.abandon(request, call.timeoutMs);
      throw error;
    }
  }

  async #confirm({ owner, token }: LockRequest, { timeoutMs }: AttemptCall, op: string): Promise<void> {
    const { replicas, timeoutMs: waitMs } = this.#wanted;
    const call = { op, class: "idempotent", key: this.name, timeoutMs: timeoutMs + waitMs } as const;
    const args: Arg[] = ["EVAL", confirm.lua, "2"];
    confirm.encodeKeys(this.#keys, args);
    confirm.encodeArgs({ owner, token }, args);
    const lease = await this.#core.driver.lease(this.#keys.lock, call);
    try {
      const { status } = confirm.decode(await lease.send(args, call));
      const reached = status === "ok" ? Number(await lease.send(["WAIT", String(replicas), String(waitMs)], call)) : 0;
      if (reached >= replicas) return;
      const message = `${this.label}: ${reached} of the ${replicas} replicas asked for confirmed it within ${waitMs} ms`;
      throw new NotReplicatedError(message, reached, { op, key: this.name });
    } finally {
      lease.release();
    }
  }
}
