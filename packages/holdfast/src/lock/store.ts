/** The server's side of one lock: what its scripts can be asked. */
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { runScript } from "../core/script/run.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import type { LockAnswer, LockGrant, LockRequest } from "./grant.ts";
import { acquire, extend, inspect, release } from "./scripts.gen.ts";
import type { Handovers } from "./handovers.ts";
import type { UncontendedLocks } from "./uncontended.ts";

/** How locks of one handle go round the general scripts. */
export interface LockPaths {
  readonly uncontended: UncontendedLocks;
  readonly handovers: Handovers;
}

export interface LockInfo {
  readonly owner: string;
  readonly fence: number;
  /** Until it expires, unless it is renewed. */
  readonly ttlMs: number;
  /** Requests that wait for it. */
  readonly waiters: number;
  /** Since it was acquired, resumed or handed over. */
  readonly ageMs: number;
}

type LockKeys = Readonly<Record<"lock" | "fence" | "holds" | "ended" | "queue" | "alive" | "broken", string>>;

export class LockStore {
  readonly name: string;
  /** The lock as messages name it. */
  readonly label: string;
  readonly #core: Core;
  readonly #uncontended: UncontendedLocks;
  readonly #handovers: Handovers;
  readonly #group: GroupKeys;
  /** All that is needed while nobody waits. */
  readonly #lean: Pick<LockKeys, "lock" | "fence">;
  #all: LockKeys | undefined;

  constructor(core: Core, { uncontended, handovers }: LockPaths, name: string, label: string) {
    this.#core = core;
    this.#uncontended = uncontended;
    this.#handovers = handovers;
    this.name = name;
    this.label = label;
    this.#group = core.keys.group("lock", name);
    this.#lean = { lock: this.#group.key, fence: this.#group.part("fence") };
  }

  /** `place`: stay in the queue when the lock is busy; undefined: only ask. */
  acquire(request: LockRequest, place: number | undefined, call: AttemptCall): Promise<LockAnswer> {
    if (place !== undefined) return this.#await(request, place, call);
    if (!this.#isLean(request)) return this.#acquire(request, place, call);
    return this.#uncontended.take(this.#lean, this.name, request, call).then((answer) => {
      if (answer.status === "acquired") return answer;
      if (answer.status === "busy") return { ...answer, since: 0 };
      return this.#acquire(request, place, call);
    });
  }

  async extend({ owner, token }: LockRequest, ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    const { lock, fence, holds } = this.#keys;
    const args = { owner, token, ttlMs };
    const options = { op: "lock.extend", key: this.name, ...call };
    return (await runScript(this.#core.driver, extend, { lock, fence, holds }, args, options)).status;
  }

  /** @param repeated an earlier call, which may have been executed, has failed */
  release(request: LockRequest, grant: LockGrant, timeoutMs: number, repeated: boolean): Promise<LeaseEnd | "unclear"> {
    const general = (): Promise<LeaseEnd | "unclear"> =>
      this.#end(request, { number: grant.fence, abandon: false, repeated }, timeoutMs);
    if (grant.contended === true || !this.#isLean(request)) return general();
    const onRepeat = (): void => void (repeated = true);
    return this.#uncontended
      .giveBack(this.#lean, this.name, request, grant, { timeoutMs, onRepeat })
      .then(({ status }) => (status === "released" ? status : general()));
  }

  /** Ends a request that waits no longer or whose answer was lost. What cannot be ended now, ends by its ttl. */
  async abandon(request: LockRequest, timeoutMs: number): Promise<void> {
    this.#handovers.leave(request.token);
    await this.#end(request, { number: 0, abandon: true, repeated: false }, timeoutMs).catch(() => undefined);
  }

  async inspect(): Promise<LockInfo | undefined> {
    const { lock, alive } = this.#keys;
    const options = { op: "lock.info", key: this.name };
    const answer = await runScript(this.#core.driver, inspect, { lock, alive }, {}, options);
    if (answer.status === "free") return undefined;
    const { owner, fence, ttlMs, waiters, ageMs } = answer;
    return { owner, fence, ttlMs, waiters, ageMs };
  }

  /** Shared locks need more, and so does what may arrive late. */
  #isLean({ owner }: LockRequest): boolean {
    return owner === "" && !this.#core.lateCopies;
  }

  get #keys(): LockKeys {
    const part = (name: string): string => this.#group.part(name);
    this.#all ??= {
      ...this.#lean,
      holds: part("holds"),
      ended: part("ended"),
      queue: part("queue"),
      alive: part("alive"),
      broken: part("broken"),
    };
    return this.#all;
  }

  /** As one that waits: a release of this handle may have handed it the lock. */
  async #await(request: LockRequest, place: number, call: AttemptCall): Promise<LockAnswer> {
    const handed = this.#handovers.take(request.token);
    // One of another ttl asks, which prolongs it.
    const answer = handed?.ttlMs === request.ttlMs ? handed : await this.#acquire(request, place, call);
    if (answer.status === "acquired") this.#handovers.leave(request.token);
    return answer;
  }

  #acquire(request: LockRequest, place: number | undefined, call: AttemptCall): Promise<LockAnswer> {
    const { driver, lateCopies, wakeups } = this.#core;
    const queue = { queued: place !== undefined, since: place ?? 0, wakeChannel: wakeups.channel };
    const args = { ...request, ...queue, lateCopies };
    return runScript(driver, acquire, this.#keys, args, { op: "lock.acquire", key: this.name, ...call });
  }

  async #end(
    { owner, token, ttlMs }: LockRequest,
    how: { readonly number: number; readonly abandon: boolean; readonly repeated: boolean },
    timeoutMs: number,
  ): Promise<LeaseEnd | "unclear"> {
    const { driver, lateCopies, wakeups } = this.#core;
    const handMs = lateCopies || how.abandon ? 0 : ttlMs;
    const args = { owner, token, ...how, handMs, lateCopies, wakeChannel: wakeups.channel };
    const options = { op: "lock.release", key: this.name, timeoutMs };
    let { repeated } = how;
    const onRepeat = (): typeof args => {
      repeated = true;
      return { ...args, repeated };
    };
    const grantedAt = driver.runtime.now();
    try {
      const answer = await runScript(driver, release, this.#keys, args, options, onRepeat);
      if (answer.status !== "handed") return answer.status;
      const { taker, fence, contended } = answer;
      this.#handovers.hand(taker, { status: "acquired", fence, contended, grantedAt, ttlMs });
      return "released";
    } catch (error) {
      repeated = true;
      throw error;
    } finally {
      if (repeated) this.#handovers.wakeAll();
    }
  }
}
