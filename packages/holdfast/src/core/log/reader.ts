/**
 * One reader of a log: each message once and in order, and where messages are missing a word of it in their place.
 *
 *     take() -- something is at hand (fetched, or recent in the feed) --> a pack, from the offset that comes next
 *            -- in doubt, or behind what is recent --------------------> the log is asked; undefined, then `onReady`
 *            -- at the end of the log ---------------------------------> undefined, then `onReady` at the news
 *
 * In doubt it asks from its last message on: that one must be the message that it was, by its time. After a failover another may be there.
 */
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import { ClosedError, HoldfastError, isOutage } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import { Pause } from "../retry/pause.ts";
import type { LogPack, LogPoint } from "./pack.ts";
import type { LogLook, LogStore, LogTail } from "./store.ts";

/** Where a reader begins: at what is published from now on, at the oldest, at a time (milliseconds), or behind a message. */
export type LogStart = "now" | "start" | { readonly time: number } | { readonly after: LogPoint };

/** `gap`: these are gone. `reset`: the log is not what it was; what follows are messages of what it is now. */
export type LogItem =
  | { readonly kind: "pack"; readonly pack: LogPack; readonly from: number }
  | { readonly kind: "gap"; readonly from: number; readonly to: number; readonly count: number }
  | { readonly kind: "reset"; readonly epoch: number };

/** What a reader knows of the log besides what it asks: the feed. */
export interface LogView {
  readonly runtime: Runtime;
  readonly epoch: number;
  readonly head: number;
  /** Rises whenever something may have been missed. */
  readonly doubts: number;
  opened(): Promise<void>;
  recent(offset: number): LogPack | undefined;
  look(from: number, count: number): Promise<LogLook>;
}

/** Packs of one read. A pack is one message or 64 KB, so it is found out how many make a good read. */
const FEWEST_PACKS = 16;
const MOST_PACKS = 512;
const READ_BYTES = 65_536;

export class LogReader {
  /**
   * Resolves once it knows where it begins and the server has confirmed the subscription: what is published from then on is read.
   * Also resolves when it was closed before; rejects where it has failed.
   */
  readonly ready: Promise<void>;
  readonly #view: LogView;
  readonly #store: LogStore;
  readonly #start: LogStart;
  readonly #onReady: (() => void) | undefined;
  readonly #onClose: () => void;
  readonly #stop = new AbortController();
  /** The last that was taken, or behind which it began. Of epoch 0 nothing is known: what comes first is taken. */
  #point: LogPoint = { epoch: 0, offset: 0, at: 0 };
  /** Up to which doubt it has asked; -1 before the first time. */
  #settled = -1;
  #items: LogItem[] = [];
  #packs = FEWEST_PACKS;
  /** It has to know first where it begins. */
  #isAsking = true;
  #failure: { readonly error: unknown } | undefined;
  #arrival: Deferred<void> | undefined;

  /** @param onReady called when there may be something to take, or it has ended */
  constructor(view: LogView, store: LogStore, start: LogStart, onReady: (() => void) | undefined, onClose: () => void) {
    this.#view = view;
    this.#store = store;
    this.#start = start;
    this.#onReady = onReady;
    this.#onClose = onClose;
    this.ready = this.#begin();
    this.ready.catch(() => undefined);
  }

  /** The place of the last message that was taken. */
  get point(): LogPoint {
    return this.#point;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** What comes next, if it is at hand; else it is sought, and `onReady` called when there is something. @throws what is no outage, once */
  take(): LogItem | undefined {
    if (this.#failure !== undefined) return this.#throw();
    if (this.isClosed || this.#isAsking) return undefined;
    const item = this.#items.shift();
    if (item !== undefined) return this.#taken(item);
    const { epoch, offset } = this.#point;
    if (this.#settled === this.#view.doubts && epoch === this.#view.epoch) {
      if (this.#view.head <= offset) return undefined;
      const pack = this.#view.recent(offset + 1);
      if (pack !== undefined) return this.#taken({ kind: "pack", pack, from: offset + 1 });
    }
    void this.#ask();
    return undefined;
  }

  /** What comes next, once there is something; undefined when it was closed, or `signal` has fired. */
  async next(signal?: AbortSignal): Promise<LogItem | undefined> {
    for (;;) {
      const item = this.take();
      if (item !== undefined) return item;
      if (this.isClosed || signal?.aborted === true) return undefined;
      this.#arrival ??= new Deferred();
      const arrival = this.#arrival;
      const unfollow = onAbort(signal, () => {
        arrival.resolve();
        if (this.#arrival === arrival) this.#arrival = undefined;
      });
      await arrival.promise;
      unfollow();
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.#stop.abort();
    this.#items = [];
    this.#onClose();
    this.wake();
  }

  /** There may be something new. */
  wake(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
    this.#onReady?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  async #begin(): Promise<void> {
    // Its maker has to know it before it can end.
    await Promise.resolve();
    try {
      await this.#insisting(() => this.#findStart());
      this.#isAsking = false;
      this.wake();
      if (!this.isClosed) await this.#view.opened();
    } catch (error) {
      if (this.isClosed) return;
      this.fail(error);
      throw error;
    }
  }

  async #findStart(): Promise<void> {
    const start = this.#start;
    if (start === "start") return;
    if (typeof start === "object" && "after" in start) {
      this.#point = start.after;
      return;
    }
    if (start === "now") {
      await this.#view.opened();
      const { epoch, head, at } = await this.#store.tail();
      this.#point = { epoch, offset: head, at };
      return;
    }
    const offset = (await this.#store.find(start.time)) - 1;
    this.#point = { epoch: 0, offset, at: 0 };
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#insisting(async () => {
        const { doubts } = this.#view;
        const { epoch, offset } = this.#point;
        const isKnown = epoch !== 0 && offset > 0;
        const look = await this.#view.look(isKnown && this.#settled !== doubts ? offset : offset + 1, this.#packs);
        if (this.isClosed) return;
        this.#measure(look.packs);
        await this.#compare(look);
        this.#settled = doubts;
      });
    } catch (error) {
      if (!this.isClosed) this.fail(error);
    } finally {
      this.#isAsking = false;
    }
    this.wake();
  }

  /** A backlog of small packs is read in few round trips, one of large ones in many. */
  #measure(packs: readonly LogPack[]): void {
    let bytes = 0;
    for (const pack of packs) bytes += pack.bytes.length;
    if (bytes > READ_BYTES * 2) this.#packs = Math.max(FEWEST_PACKS, Math.ceil(this.#packs / 4));
    else if (bytes < READ_BYTES && packs.length >= this.#packs) this.#packs = Math.min(MOST_PACKS, this.#packs * 4);
  }

  /** What the log has, against what was taken last. */
  async #compare({ tail, packs }: LogLook): Promise<void> {
    const { epoch, offset, at } = this.#point;
    const first = packs[0];
    const epochNow = first?.epoch ?? tail.epoch;
    const isNew = epoch !== epochNow && epoch !== 0;
    if (isNew) return this.#reset(epochNow, 0);
    if (first === undefined) return this.#compareEnd(tail);
    const isOther = first.first <= offset && at !== 0 && first.at !== at;
    if (isOther || first.at < at) return this.#reset(epochNow, (await this.#store.find(at)) - 1);
    let last = offset;
    for (const pack of packs) {
      if (pack.last <= last) continue;
      if (pack.first > last + 1 && epoch !== 0) this.#gap(last + 1, pack.first - 1);
      this.#items.push({ kind: "pack", pack, from: Math.max(last + 1, pack.first) });
      last = pack.last;
    }
    // Of a log of which nothing was known now something is: from here on gaps count.
    if (epoch === 0 && this.#items.length === 0) this.#point = { epoch: epochNow, offset, at };
  }

  /** Nothing is behind its last message. */
  #compareEnd(tail: LogTail): void {
    const { epoch, offset, at } = this.#point;
    if (tail.head < offset && epoch !== 0) return this.#reset(tail.epoch, tail.head);
    if (tail.head > offset && epoch !== 0) this.#gap(offset + 1, tail.head);
    if (epoch === 0 || tail.head > offset) this.#point = { epoch: tail.epoch, offset: Math.max(offset, tail.head), at };
  }

  #gap(from: number, to: number): void {
    this.#items.push({ kind: "gap", from, to, count: to - from + 1 });
  }

  #reset(epoch: number, offset: number): void {
    this.#items = [{ kind: "reset", epoch }];
    this.#point = { epoch, offset, at: 0 };
  }

  #taken(item: LogItem): LogItem {
    if (item.kind === "pack") this.#point = item.pack.point(item.pack.last);
    return item;
  }

  #throw(): never {
    const { error } = this.#failure!;
    this.#failure = undefined;
    this.close();
    throw error;
  }

  /** Until it has come about; what is no outage is thrown. */
  async #insisting(task: () => Promise<void>): Promise<void> {
    const pause = new Pause(this.#view.runtime, this.#stop.signal);
    while (!this.isClosed) {
      try {
        return await task();
      } catch (error) {
        if (error instanceof ClosedError) return this.close();
        if (!canPass(error)) throw error;
      }
      await pause.next();
    }
  }
}

/** Whether asking again later can help. */
export function canPass(error: unknown): boolean {
  return isOutage(error) || (error instanceof HoldfastError && error.code === "TIMEOUT");
}
