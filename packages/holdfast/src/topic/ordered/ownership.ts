/**
 * Which partitions this member owns: says that it lives, hears who else does, takes what is its share and gives back what is not.
 *
 * All members compute the same assignment from the same list. While lists differ for a moment two may want a partition, or nobody:
 * its lease admits one of them, and the others look again when they are woken, at the latest at the next beat.
 */
import { HoldfastError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Waiter, Wakeups } from "../../core/wait/wakeups.ts";
import { Pause } from "../../core/retry/pause.ts";
import { partitionsOf } from "./assignment.ts";
import type { OrderedStore } from "./store.ts";
import type { Grant, Tenure } from "./tenure.ts";

export interface OwnershipParts {
  readonly runtime: Runtime;
  readonly wakeups: Wakeups;
  readonly store: OrderedStore;
  readonly id: string;
  readonly partitions: number;
  readonly leaseMs: number;
  readonly drainMs: number;
  /** Makes what is missing on the server; `lost`: it was there before. */
  readonly establish: (lost: boolean) => Promise<void>;
  readonly recreate: (partition: number) => Promise<void>;
  readonly begin: (partition: number, grant: Grant, grantedAt: number, onEnd: () => void) => Tenure;
  /** It stands on the server. */
  readonly onReady: () => void;
  /** Ends the subscription. */
  readonly stop: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

export class Ownership {
  readonly #parts: OwnershipParts;
  readonly #token: string;
  readonly #tenures = new Map<number, Tenure>();
  readonly #closed = new AbortController();
  readonly #working: Promise<void>;
  /** Calls the loop off its rest. */
  #rest = new AbortController();
  #joins = true;

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
    this.#token = parts.runtime.randomUUID();
    this.#working = this.#work();
  }

  /** Those that this process owns. */
  get tenures(): readonly Tenure[] {
    return [...this.#tenures.values()];
  }

  /** Gives everything back, and leaves the members. Never rejects. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#rest.abort();
    await this.#working;
    const { store, id, drainMs } = this.#parts;
    await Promise.all(this.tenures.map((tenure) => tenure.leave(drainMs)));
    // Where no server answers the others find out by themselves.
    await store.beat(id, this.#token, 0, false).catch(() => undefined);
  }

  async #work(): Promise<void> {
    const { runtime, leaseMs, wakeups, store, onFault, stop } = this.#parts;
    const { signal } = this.#closed;
    let pause = new Pause(runtime, signal);
    let waiter: Waiter | undefined;
    try {
      waiter = await this.#insist(() => wakeups.join(store.wakeKey));
      await this.#insist(() => this.#parts.establish(false));
      if (!signal.aborted) this.#parts.onReady();
      while (!signal.aborted) {
        this.#rest = new AbortController();
        try {
          const restMs = await this.#look();
          pause = new Pause(runtime, signal);
          await waiter?.next(Math.min(restMs, leaseMs / 3), this.#rest.signal);
        } catch (error) {
          if (isFinal(error)) return stop(error);
          onFault(error);
          await pause.next();
        }
      }
    } catch (error) {
      stop(error);
    } finally {
      waiter?.leave();
    }
  }

  /** Undefined where it was closed meanwhile. @throws what no waiting mends */
  async #insist<R>(ask: () => Promise<R>): Promise<R | undefined> {
    const pause = new Pause(this.#parts.runtime, this.#closed.signal);
    while (!this.#closed.signal.aborted) {
      try {
        return await ask();
      } catch (error) {
        if (isFinal(error)) throw error;
        this.#parts.onFault(error);
        await pause.next();
      }
    }
    return undefined;
  }

  /** Returns in how many milliseconds to look again, at the latest. */
  async #look(): Promise<number> {
    const { store, id, partitions, leaseMs, drainMs, establish } = this.#parts;
    const answer = await store.beat(id, this.#token, leaseMs, this.#joins);
    if (answer.status === "missing") {
      await establish(true);
      return 0;
    }
    if (answer.status !== "ok") throw new HoldfastError("CONFLICT", WHY[answer.status](id));
    this.#joins = false;
    const share = partitionsOf(id, answer.live, partitions);
    for (const [partition, tenure] of this.#tenures) {
      if (share.has(partition)) void tenure.look();
      // Its end calls the loop.
      else void tenure.leave(drainMs);
    }
    const waits = await Promise.all(
      [...share].filter((partition) => !this.#tenures.has(partition)).map((partition) => this.#take(partition)),
    );
    return Math.min(Infinity, ...waits);
  }

  async #take(partition: number): Promise<number> {
    const { runtime, store, id, leaseMs, begin, recreate } = this.#parts;
    const askedAt = runtime.now();
    const answer = await store.take(partition, id, this.#token, leaseMs);
    if (answer.status === "busy") return answer.leftMs + 1;
    if (answer.status === "missing") {
      await recreate(partition);
      return 0;
    }
    const tenure = begin(partition, answer, askedAt, () => this.#ended(partition, tenure));
    this.#tenures.set(partition, tenure);
    return Infinity;
  }

  #ended(partition: number, tenure: Tenure): void {
    if (this.#tenures.get(partition) !== tenure) return;
    this.#tenures.delete(partition);
    this.#rest.abort();
  }
}

const WHY = {
  replaced: (id: string) => `another process has taken the place of member ${JSON.stringify(id)}: ids must differ`,
  removed: () => "the subscription was removed",
} as const;

/** What trying again does not mend. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof HoldfastError &&
    (error.code === "CONFLICT" || error.code === "CLOSED" || error.code === "INVALID_ARGUMENT")
  );
}
