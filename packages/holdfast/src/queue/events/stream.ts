/**
 * The events of a queue as an async iterator. It reads when it is asked for more, a partition after the other, so that what a slow reader does
 * not take stays on the server, up to the cap. What was trimmed before it was read is told as a gap. Between two looks it waits for a wake-up;
 * as that may be lost, it looks by itself as well. While no server answers it waits for one.
 */
import { checkSignal, onAbort } from "../../base/abort.ts";
import { ClosedError, HoldfastError, InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { type Duration, type OptionNames, toTimerMs } from "../../base/options.ts";
import { sleep } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import type { Waiter } from "../../core/wait/wakeups.ts";
import { Pause } from "../../core/retry/pause.ts";
import {
  BEGINNING,
  eventFrom,
  type EventPlace,
  type EventValues,
  placesFrom,
  placeText,
  type QueueEvent,
} from "./event.ts";
import type { EventStore } from "./store.ts";

export interface QueueEventsOptions {
  /** Behind the event with this cursor; `start`: from the oldest one that is kept. @default from now on */
  readonly from?: string;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** How often it looks by itself, should a wake-up be lost. @default "5s" */
  readonly poll?: Duration;
}

export interface EventsSettings {
  /** Of each partition; undefined: from now on. */
  readonly from: readonly EventPlace[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly pollMs: number;
}

export const EVENTS_OPTIONS: OptionNames<QueueEventsOptions> = { from: true, signal: true, poll: true };
const COUNT = 200;
/** Where events come one by one, they are read together. */
const LINGER_MS = 10;

export function eventsSettings({ from, signal, poll = "5s" }: QueueEventsOptions, partitions: number): EventsSettings {
  if (from !== undefined && typeof from !== "string")
    throw new InvalidArgumentError("from", '"start" or the cursor of an event', from);
  const places = from === "start" ? Array.from({ length: partitions }, () => BEGINNING) : from;
  return {
    from: typeof places === "string" ? placesFrom(places, partitions) : places,
    signal: checkSignal(signal),
    pollMs: toTimerMs("poll", poll, 10),
  };
}

/** @example for await (const event of emails.events()) console.log(event.type); */
export class QueueEvents implements AsyncIterableIterator<QueueEvent, undefined, undefined>, AsyncDisposable {
  /** Resolves once it is known where "now" is: what happens after that is seen. Rejects as the first `next()` does. */
  readonly ready: Promise<void>;
  readonly #core: Core;
  readonly #stores: readonly EventStore[];
  readonly #values: EventValues;
  readonly #pollMs: number;
  readonly #stop = new AbortController();
  readonly #disown: () => void;
  readonly #unfollow: () => void;
  readonly #waiters: Waiter[] = [];
  #places: EventPlace[];
  #read: QueueEvent[] = [];
  /** Calls of `next` that do not wait for each other get their events in order. */
  #turn: Promise<unknown>;

  constructor(
    core: Core,
    stores: readonly EventStore[],
    values: EventValues,
    { from, signal, pollMs }: EventsSettings,
  ) {
    this.#core = core;
    this.#stores = stores;
    this.#values = values;
    this.#pollMs = pollMs;
    this.#places = [...(from ?? [])];
    this.#disown = core.own(this);
    this.#unfollow = onAbort(signal, () => void this.close());
    if (signal?.aborted === true) void this.close();
    this.ready = this.#open();
    this.#turn = this.ready;
    this.ready.catch(() => undefined);
  }

  /** @throws HoldfastError what no waiting mends: a right that is missing, a value that cannot be decoded */
  next(): Promise<IteratorResult<QueueEvent, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<QueueEvent, undefined>> {
    await this.close();
    return { value: undefined, done: true };
  }

  /** Ends it. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#stop.abort(new ClosedError());
    for (const waiter of this.#waiters) waiter.leave();
    this.#unfollow();
    this.#disown();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  async #open(): Promise<void> {
    await this.#insist(async () => {
      for (const store of this.#stores.slice(this.#waiters.length))
        this.#waiters.push(await this.#core.wakeups.join(store.wakeKey));
    });
    if (this.#isOver) for (const waiter of this.#waiters) waiter.leave();
    if (this.#places.length > 0) return;
    await this.#insist(async () => {
      const news = await Promise.all(this.#stores.map((store) => store.since(BEGINNING, 1, this.#pollMs)));
      this.#places = news.map(({ last, total }) => ({ entry: last, count: total }));
    });
  }

  async #next(): Promise<IteratorResult<QueueEvent, undefined>> {
    while (!this.#isOver) {
      const event = this.#read.shift();
      if (event !== undefined) return { value: event, done: false };
      await this.#insist(() => this.#look());
      if (this.#read.length === 0) await this.#rest();
    }
    return { value: undefined, done: true };
  }

  /** Those of a partition are in their order; a partition comes after the other. */
  async #look(): Promise<void> {
    const news = await Promise.all(
      this.#stores.map((store, at) => store.since(this.#places[at]!, COUNT, 2 * this.#pollMs)),
    );
    const events: QueueEvent[] = [];
    const places = [...this.#places];
    for (const [at, { first, total, last, found }] of news.entries()) {
      const [before, after] = [places.slice(0, at), places.slice(at + 1)].map((part) => part.map(placeText));
      const cursor = (): string => [...before!, placeText(places[at]!), ...after!].join("_");
      const { count } = places[at]!;
      if (count > total || isBehind(last, places[at]!.entry)) {
        // What is there now has nothing to do with what was read: the stream was lost, or an older one came back.
        places[at] = { entry: last, count: total };
        events.push({ type: "gap", cursor: cursor(), missed: undefined });
        continue;
      }
      if (first > count + 1) {
        places[at] = { entry: places[at]!.entry, count: first - 1 };
        events.push({ type: "gap", cursor: cursor(), missed: first - 1 - count });
      }
      for (const stored of found) {
        places[at] = { entry: stored.entry, count: places[at]!.count + 1 };
        events.push(eventFrom(this.#values, stored, cursor()));
      }
    }
    this.#places = places;
    this.#read = events;
  }

  /** Until something has happened, or may have. */
  async #rest(): Promise<void> {
    const { runtime } = this.#core.driver;
    // One partition's is enough, and the others are not to wait on.
    const woken = new AbortController();
    const unfollow = onAbort(this.#stop.signal, () => woken.abort());
    await Promise.race(this.#waiters.map((waiter) => waiter.next(this.#pollMs, woken.signal)));
    woken.abort();
    unfollow();
    if (!this.#isOver) await sleep(runtime, LINGER_MS, this.#stop.signal);
  }

  /** Until a server answers, or it is closed. */
  async #insist(ask: () => Promise<void>): Promise<void> {
    const pause = new Pause(this.#core.driver.runtime, this.#stop.signal);
    while (!this.#isOver) {
      try {
        return await ask();
      } catch (error) {
        const code = error instanceof HoldfastError ? error.code : undefined;
        if (code === "CLOSED" || this.#isOver) return void this.close();
        if (!isOutage(error) && code !== "TIMEOUT" && code !== "OUTCOME_UNKNOWN") {
          await this.close();
          throw error;
        }
        await pause.next();
      }
    }
  }
}

/** Whether an entry's id is lower than another one. */
function isBehind(id: string, other: string): boolean {
  const [ms, at] = id.split("-").map(BigInt) as [bigint, bigint];
  const [otherMs, otherAt] = other.split("-").map(BigInt) as [bigint, bigint];
  return ms === otherMs ? at < otherAt : ms < otherMs;
}
