/** The server's side of one lock: what its scripts can be asked. */
import type { Core } from "../core/core.ts";
import type { LeaseExtension, LeaseEnd } from "../core/lease/timed-lease.ts";
import { runScript } from "../core/script/run.ts";
import { lockLabel } from "./options.ts";
import { acquire, extend, inspect, release } from "./scripts.gen.ts";

/** One request for a lock. Its token is the same in all its attempts, so that a lost answer leaves no ghost. */
export interface LockRequest {
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
}

/** `since` is the place in the queue, to be passed with the next attempt. */
export type AcquireReply =
  | { status: "acquired"; fence: number }
  | { status: "busy"; ttlMs: number; since: number }
  | { status: "crowded" };

export interface LockInfo {
  readonly owner: string;
  readonly fence: number;
  /** Until it expires, unless it is renewed. */
  readonly ttlMs: number;
  /** Requests that wait for it. */
  readonly waiters: number;
}

type LockKeys = Readonly<Record<"lock" | "fence" | "ended" | "queue" | "alive", string>>;

export interface AcquireCall {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export class LockStore {
  readonly name: string;
  /** The lock as messages name it. */
  readonly label: string;
  readonly #core: Core;
  readonly #keys: LockKeys;

  constructor(core: Core, name: string) {
    this.#core = core;
    this.name = name;
    this.label = lockLabel(name);
    const keys = core.keys.group("lock", name);
    this.#keys = {
      lock: keys.key,
      fence: keys.part("fence"),
      ended: keys.part("ended"),
      queue: keys.part("queue"),
      alive: keys.part("alive"),
    };
  }

  /** `place`: stay in the queue when the lock is busy; undefined: only ask. */
  acquire(request: LockRequest, place: number | undefined, call: AcquireCall): Promise<AcquireReply> {
    const { lateCopies } = this.#core;
    const args = { ...request, queued: place !== undefined, since: place ?? 0, lateCopies };
    return runScript(this.#core.driver, acquire, this.#keys, args, { op: "lock.acquire", key: this.name, ...call });
  }

  async extend({ owner, token }: LockRequest, ttlMs: number, call: AcquireCall): Promise<LeaseExtension> {
    const { lock, fence } = this.#keys;
    const args = { owner, token, ttlMs };
    const options = { op: "lock.extend", key: this.name, ...call };
    return (await runScript(this.#core.driver, extend, { lock, fence }, args, options)).status;
  }

  release(request: LockRequest, timeoutMs: number): Promise<LeaseEnd> {
    return this.#end(request, false, timeoutMs);
  }

  /** Ends a request that waits no longer or whose answer was lost. What cannot be ended now, ends by its ttl. */
  async abandon(request: LockRequest, timeoutMs: number): Promise<void> {
    await this.#end(request, true, timeoutMs).catch(() => undefined);
  }

  async inspect(): Promise<LockInfo | undefined> {
    const { lock, alive } = this.#keys;
    const options = { op: "lock.info", key: this.name };
    const answer = await runScript(this.#core.driver, inspect, { lock, alive }, {}, options);
    if (answer.status === "free") return undefined;
    const { owner, fence, ttlMs, waiters } = answer;
    return { owner, fence, ttlMs, waiters };
  }

  async #end({ owner, token }: LockRequest, abandon: boolean, timeoutMs: number): Promise<LeaseEnd> {
    const args = { owner, token, abandon, wakeChannel: this.#core.wakeups.channel };
    const options = { op: "lock.release", key: this.name, timeoutMs };
    return (await runScript(this.#core.driver, release, this.#keys, args, options)).status;
  }
}
