/** Jobs claimed by hand, for programs that run them in a way of their own: a gateway for other languages, a script. */
import { checkSignal } from "../../base/abort.ts";
import { AbortedError, InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, listOf, type OptionNames, toTimerMs, wholeBetween } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import type { Operations } from "../../core/observe/observe.ts";
import type { Waiter } from "../../core/wait/wakeups.ts";
import { checkName } from "../check-name.ts";
import type { QueueSettings } from "../options.ts";
import type { TallyStore } from "../overview/store.ts";
import { Tally } from "../overview/tally.ts";
import type { Partitions } from "../partitions.ts";
import type { Run } from "../run.ts";
import type { QueueValues } from "../values.ts";
import { QueueHeldJob } from "./held-job.ts";
import { Holder, type HolderParts } from "./holder.ts";
import { decodeToken } from "./token.ts";

export interface QueueClaimOptions {
  /** Jobs at most, 1 to 250. Those of one claim share its lease: claim one by one where each goes to a holder of its own. @default 1 */
  readonly count?: number;
  /** For how long they are held, unless the lease is extended; at least a second. @default "30s" */
  readonly lease?: Duration;
  /** Only jobs of these names; others are left to those who know theirs. @default all, and jobs without a name */
  readonly names?: readonly string[];
  /** For how long to wait where there is no job. @default not at all */
  readonly wait?: Duration;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Who holds them, for `overview().workers`: 1 to 80 letters, digits, `.`, `_`, `@` and `-`. @default nobody's name */
  readonly consumer?: string;
}

export interface ClaimSettings {
  readonly count: number;
  readonly leaseMs: number;
  readonly names: readonly string[] | undefined;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly consumer: string | undefined;
}

export const CLAIM_OPTIONS: OptionNames<QueueClaimOptions> = {
  count: true,
  lease: true,
  names: true,
  wait: true,
  signal: true,
  consumer: true,
};
const MAX_COUNT = 250;
const MAX_NAMES = 1_000;
/** Where it waits, it looks so often by itself, should a wake-up be lost. */
const LOOK_MS = 5_000;

export function claimSettings({
  count = 1,
  lease = "30s",
  names,
  wait,
  signal,
  consumer,
}: QueueClaimOptions): ClaimSettings {
  if (consumer !== undefined && !(typeof consumer === "string" && /^[\w.@-]{1,80}$/.test(consumer)))
    throw new InvalidArgumentError("consumer", "1 to 80 letters, digits, ., _, @ and -", consumer);
  const wanted =
    names === undefined ? undefined : listOf("names", names, "names").map((name) => checkName("names", name));
  if (wanted !== undefined && (wanted.length === 0 || wanted.length > MAX_NAMES))
    throw new InvalidArgumentError("names", `1 to ${MAX_NAMES} names`, wanted.length);
  return {
    count: wholeBetween("count", count, 1, MAX_COUNT),
    leaseMs: toTimerMs("lease", lease, 1_000),
    names: wanted,
    waitMs: wait === undefined ? 0 : toTimerMs("wait", wait, 0),
    signal: checkSignal(signal),
    consumer,
  };
}

export interface ClaimsParts {
  readonly core: Core;
  readonly operations: Operations;
  readonly queue: string;
  readonly settings: QueueSettings;
  readonly values: QueueValues<unknown, unknown>;
  readonly partitions: Partitions;
  readonly tallies: TallyStore;
}

type Held = QueueHeldJob<unknown>;

export class Claims {
  readonly #parts: ClaimsParts;
  readonly #holders: HolderParts;
  /** The partition that is asked first. */
  #turn = 0;
  #tally: Tally | undefined;

  constructor(parts: ClaimsParts) {
    const { core, queue, settings, values } = parts;
    this.#parts = parts;
    this.#holders = { core, queue, settings, values, tally: () => this.#counts() };
  }

  async claim({ count, consumer, waitMs, signal, ...terms }: ClaimSettings): Promise<Held[]> {
    const { core, partitions } = this.#parts;
    const own = core.driver.runtime.randomUUID();
    const worker = consumer === undefined ? own : `${consumer}:${own}`;
    const { all } = partitions;
    this.#turn = (this.#turn + 1) % all.length;
    const inTurn = [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
    const holders = inTurn.map((partition) => new Holder(this.#holders, partition, worker));
    const filled = new Map<Holder, Held[]>();
    const look = async (idleMs: number): Promise<void> => {
      let left = count;
      for (const holder of holders) {
        const held = left === 0 ? [] : await this.#heldOf(holder, await holder.take(left, { ...terms, idleMs }));
        if (held.length > 0) filled.set(holder, held);
        left -= held.length;
      }
    };
    try {
      await look(0);
      if (filled.size === 0 && waitMs > 0) {
        const isDone = () => filled.size > 0;
        await this.#wait(holders, { waitMs, leaseMs: terms.leaseMs, signal }, look, isDone);
        await Promise.all([...filled.keys()].map((holder) => holder.deafen()));
      }
    } catch (error) {
      await Promise.all(holders.map((holder) => holder.leave()));
      throw error;
    }
    // One that holds nothing would be taken for a worker that has died.
    await Promise.all(holders.filter((holder) => !filled.has(holder)).map((holder) => holder.leave()));
    return [...filled.values()].flat();
  }

  async held(token: string): Promise<Held | undefined> {
    const { id, worker, fence } = decodeToken(token);
    const holder = new Holder(this.#holders, this.#parts.partitions.of(id), worker);
    const run = await holder.find(id, fence);
    return run === undefined ? undefined : this.#jobOf(holder, run);
  }

  async #wait(
    holders: readonly Holder[],
    { waitMs, leaseMs, signal }: Pick<ClaimSettings, "waitMs" | "leaseMs" | "signal">,
    look: (idleMs: number) => Promise<void>,
    isDone: () => boolean,
  ): Promise<void> {
    const { wakeups, driver } = this.#parts.core;
    const deadline = driver.runtime.now() + waitMs;
    const lookMs = Math.min(LOOK_MS, Math.floor(leaseMs / 3));
    const waiters = await Promise.all(holders.map(({ store }) => wakeups.join(store.keys.wakeKey)));
    try {
      for (;;) {
        await look(2 * lookMs);
        const leftMs = deadline - driver.runtime.now();
        if (isDone() || leftMs <= 0) break;
        const dueMs = holders.map((holder) => holder.dueMs).filter((ms) => ms >= 0);
        await firstOf(waiters, Math.min(leftMs, lookMs, ...dueMs.map((ms) => ms + 1)), signal);
        if (signal?.aborted === true)
          throw new AbortedError("the caller stopped waiting for a job", { op: "queue.claim", cause: signal.reason });
      }
    } finally {
      for (const waiter of waiters) waiter.leave();
    }
  }

  async #heldOf(holder: Holder, runs: readonly Run[]): Promise<Held[]> {
    const held: Held[] = [];
    for (const run of runs) {
      try {
        held.push(this.#jobOf(holder, run));
      } catch (error) {
        // A payload that cannot be read: a failure, as where a handler is to be given it.
        await holder.settle(run, () => holder.endings.fail(run, error));
      }
    }
    return held;
  }

  #jobOf(holder: Holder, run: Run): Held {
    const { values, core } = this.#parts;
    const payload = values.payload.decode(run.record.payload, values.context);
    return new QueueHeldJob(
      { run, holder, operations: this.#parts.operations, now: () => core.driver.runtime.now() },
      payload,
    );
  }

  /** Made when the first job ends here: it has a timer. */
  #counts(): Tally {
    if (this.#tally !== undefined) return this.#tally;
    const { core, tallies } = this.#parts;
    const name = `by-hand:${core.driver.runtime.randomUUID()}`;
    const about = { host: "", pid: process.pid, concurrency: 0 };
    const tally = new Tally(core.driver.runtime, (flush, counts) => tallies.flush(name, about, flush, counts));
    core.own(tally);
    this.#tally = tally;
    return tally;
  }
}

/** A wake-up for one of them, or the time. */
async function firstOf(waiters: readonly Waiter[], ms: number, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  await Promise.race(waiters.map((waiter) => waiter.next(ms, stop)));
  over.abort();
}
