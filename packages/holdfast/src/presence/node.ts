/**
 * A process in a room: the lease by which all its members live, and the one after the other in which its changes are sent.
 *
 * What is wanted of each member is kept until the server has it: changes that come while a request is under way go with the
 * next one, together. So there is one request at a time, each with a number; a copy that arrives late has a lower one and is
 * refused. A change that failed is sent again, unless another of the same member has come since.
 *
 *     new -- first members are in --> held by heartbeats -- retired, its last member has left --> over
 *                                          -- deadline, or the server has it no longer ---------> lost
 */
import { Deferred } from "../base/deferred.ts";
import { ClosedError, HoldfastError, UnavailableError } from "../base/errors.ts";
import { nextTick, type Runtime, type Timer } from "../base/runtime.ts";
import { TimedLease } from "../core/lease/timed-lease.ts";
import type { PresenceChange, PresenceStore } from "./store.ts";

/** `gone`: it is not of this node (any more). `full`: the room is. `devices`: the user has as many as may be. */
export type ChangeOutcome = "done" | "gone" | "full" | "devices";

export interface Wanted extends PresenceChange {
  /** `<user>\0<device>` */
  readonly session: string;
  readonly settled: Deferred<ChangeOutcome>;
}

export interface NodeOwner {
  /** Its members are out; `left` is what it had not done yet. */
  lost(node: PresenceNode, left: readonly Wanted[]): void;
  /** The server has taken a change, or refused it. */
  settled(node: PresenceNode, change: Wanted, outcome: ChangeOutcome): void;
  /** Another process has them now. */
  replaced(node: PresenceNode, sessions: readonly string[]): void;
}

/** Changes of one script: with 128 of them it holds the server for about a millisecond. */
const MAX_CHANGES = 128;
/** Of one ZMSCORE. */
const MAX_CHECKED = 500;
/** Between two attempts while the server does not take them, before jitter; twice as long after each. */
const PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

const OUTCOMES: Readonly<Record<string, ChangeOutcome>> = { k: "done", g: "gone", f: "full", d: "devices" };

export class PresenceNode {
  readonly id: string;
  readonly #runtime: Runtime;
  readonly #store: PresenceStore<unknown>;
  readonly #owner: NodeOwner;
  readonly #label: string;
  /** What the server has not yet, the newest of each member. */
  readonly #wanted = new Map<string, Wanted>();
  /** Which of them leave. */
  readonly #leaving = new Set<string>();
  /** Those the server has. */
  readonly #held = new Set<string>();
  #underWay: readonly Wanted[] = [];
  #seq = 0;
  #failures = 0;
  #lease: TimedLease | undefined;
  #isRetired = false;
  #isOver = false;
  #flushing: Promise<void> | undefined;
  #endPause: (() => void) | undefined;

  constructor(runtime: Runtime, store: PresenceStore<unknown>, owner: NodeOwner, id: string) {
    this.#runtime = runtime;
    this.#store = store;
    this.#owner = owner;
    this.id = id;
    this.#label = `presence ${JSON.stringify(store.room)}`;
  }

  /** Whether its members are in the room for certain. */
  get isHeld(): boolean {
    return this.#lease?.held === true;
  }

  holds(session: string): boolean {
    return this.#held.has(session);
  }

  /** Resolves when the server has it; rejects when one attempt has failed, and goes on trying unless `forget` is called. */
  want(change: PresenceChange, settled: Deferred<ChangeOutcome> = new Deferred()): Promise<ChangeOutcome> {
    const session = `${change.user}\0${change.device}`;
    // It has not been sent, and will not be: the newer one is the answer to both.
    this.#wanted.get(session)?.settled.resolve(settled.promise);
    settled.promise.catch(() => undefined);
    this.#put({ ...change, session, settled });
    this.#flushing ??= this.#flush();
    return settled.promise;
  }

  /** No member is to come any more: it is over when the last has left. */
  retire(): void {
    this.#isRetired = true;
    if (this.#flushing === undefined) this.#end();
  }

  /** Resolves when nothing is left to do, which may be never. */
  async idle(): Promise<void> {
    await this.#flushing;
  }

  /** Asks the server at once whether it still has it. */
  check(): void {
    if (this.isHeld) void this.#lease!.extend(this.#store.settings.ttlMs).catch(() => undefined);
  }

  /** Gives up: its members are out when their ttl is over. */
  abandon(): void {
    this.#end();
    for (const { settled } of [...this.#underWay, ...this.#wanted.values()]) settled.resolve("gone");
  }

  async #flush(): Promise<void> {
    // What is called in the same tick goes with it.
    await new Promise<void>((resolve) => {
      nextTick(resolve);
    });
    while (this.#wanted.size > 0 && !this.#isOver) await this.#send(this.#next());
    this.#flushing = undefined;
    if (this.#isRetired) this.#end();
  }

  /** Leaving first, and alone: a full memory refuses who joins. */
  #next(): Wanted[] {
    const batch: Wanted[] = [];
    for (const session of this.#leaving.size > 0 ? this.#leaving : this.#wanted.keys()) {
      if (batch.length === MAX_CHANGES) break;
      batch.push(this.#wanted.get(session)!);
      this.#wanted.delete(session);
      this.#leaving.delete(session);
    }
    return batch;
  }

  #put(wanted: Wanted): void {
    const { op, session } = wanted;
    this.#wanted.set(session, wanted);
    if (op === "-") this.#leaving.add(session);
    else this.#leaving.delete(session);
  }

  async #send(batch: readonly Wanted[]): Promise<void> {
    // The server has not heard of it.
    if (this.#seq === 0 && batch[0]!.op === "-") return batch.forEach(({ settled }) => settled.resolve("gone"));
    this.#underWay = batch;
    const sentAt = this.#runtime.now();
    this.#seq += 1;
    try {
      const result = await this.#store.change(this.id, this.#seq, batch, this.#isRetired && this.#wanted.size === 0);
      if (this.#isOver) return;
      if (result.status === "lost") return this.#lose();
      // The server's clock was set forward, or another server's is ahead.
      if (result.status === "late") {
        this.#store.forgetClock();
        throw new UnavailableError(`${this.#label}: the server's clock has changed`);
      }
      this.#underWay = [];
      this.#failures = 0;
      if (batch[0]!.op !== "-") this.#lease ??= this.#leaseSince(sentAt);
      for (const [at, wanted] of batch.entries()) this.#settle(wanted, OUTCOMES[result.outcomes[at] ?? ""] ?? "gone");
    } catch (error) {
      if (this.#isOver) return;
      this.#underWay = [];
      this.#failed(batch, error);
      // Nothing is sent any more.
      if (error instanceof ClosedError) return this.abandon();
      await this.#pause();
    }
  }

  #settle(wanted: Wanted, outcome: ChangeOutcome): void {
    const { op, session, settled } = wanted;
    if (op !== "-" && outcome === "done") this.#held.add(session);
    else this.#held.delete(session);
    this.#owner.settled(this, wanted, outcome);
    settled.resolve(outcome);
  }

  #failed(batch: readonly Wanted[], error: unknown): void {
    for (const wanted of batch) {
      // Before the rejection, which may bring a newer one.
      if (!this.#wanted.has(wanted.session)) this.#put({ ...wanted, settled: silent() });
      wanted.settled.reject(error);
    }
  }

  #leaseSince(sentAt: number): TimedLease {
    const { ttlMs, timeoutMs } = this.#store.settings;
    const port = {
      extend: (_: number, call: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }) =>
        this.#beat(call.timeoutMs, call.signal),
      release: () => Promise.resolve("released" as const),
    };
    const terms = { label: this.#label, ttlMs, renew: true, maxHoldMs: Infinity, timeoutMs };
    return new TimedLease(this.#runtime, port, terms, sentAt, () => this.#lose());
  }

  async #beat(timeoutMs: number, signal: AbortSignal | undefined): Promise<"extended" | "expired"> {
    const expected = this.#isAtRest ? this.#held.size : undefined;
    const result = await this.#store.beat(this.id, timeoutMs, signal);
    if (result.status === "lost") return "expired";
    if (this.#isAtRest && expected === this.#held.size && result.held !== expected) void this.#compare();
    return "extended";
  }

  /** Which of its members somebody else has by now. */
  async #compare(): Promise<void> {
    try {
      const sessions = [...this.#held];
      for (let at = 0; at < sessions.length; at += MAX_CHECKED) {
        const gone = await this.#store.notHeld(this.id, sessions.slice(at, at + MAX_CHECKED));
        if (this.#isOver) return;
        const replaced = gone.filter((session) => this.#held.has(session) && !this.#isChanging(session));
        for (const session of replaced) this.#held.delete(session);
        if (replaced.length > 0) this.#owner.replaced(this, replaced);
      }
    } catch (error) {
      // The next heartbeat finds the same.
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  get #isAtRest(): boolean {
    return this.#wanted.size === 0 && this.#underWay.length === 0;
  }

  #isChanging(session: string): boolean {
    return this.#wanted.has(session) || this.#underWay.some((wanted) => wanted.session === session);
  }

  #lose(): void {
    if (this.#isOver) return;
    for (const wanted of this.#underWay) {
      const newer = this.#wanted.get(wanted.session);
      if (newer === undefined) this.#wanted.set(wanted.session, wanted);
      else wanted.settled.resolve(newer.settled.promise);
    }
    const left = [...this.#wanted.values()];
    this.#end();
    this.#owner.lost(this, left);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endPause?.();
    void this.#lease?.release();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const ms = Math.min(PAUSE_MS * 2 ** this.#failures, MAX_PAUSE_MS) * (0.5 + this.#runtime.random());
      this.#failures += 1;
      const end = (): void => {
        this.#runtime.clearTimeout(timer);
        resolve();
      };
      const timer: Timer = this.#runtime.setTimeout(end, ms);
      timer.unref();
      this.#endPause = end;
    });
  }
}

function silent(): Deferred<ChangeOutcome> {
  const deferred = new Deferred<ChangeOutcome>();
  deferred.promise.catch(() => undefined);
  return deferred;
}
