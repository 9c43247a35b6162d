/**
 * A log as it goes on, for all readers of a process: one subscription, and the packs that came last.
 *
 * What is published on the live channel is a hint and a short cut. A pack that follows the one before is taken from it; whenever something
 * may have been missed (a pack that does not follow, a lost connection, silence) `doubts` rises, and each reader asks the log itself.
 */
import type { Driver, Subscription } from "../../driver/port.ts";
import { type Runtime, type Timer } from "../../base/runtime.ts";
import type { LogKeys } from "./keys.ts";
import { type LogNews, type LogPack, newsOf } from "./pack.ts";
import { Pause } from "../retry/pause.ts";
import { canPass, LogReader, type LogStart, type LogView } from "./reader.ts";
import { type LogLook, LogStore, type LogTail } from "./store.ts";

/** Somebody who is told that there may be something new. */
interface Member {
  wake(): void;
  fail(error: unknown): void;
  close(): void;
}

export interface LogListener {
  close(): void;
}

const OP = "log.read";
/** Each is 4 KB at most. */
const MAX_WINDOW = 256;
/** After so long without news the log is asked: pub/sub is at most once. */
const POLL_MS = 5_000;
/** Packs of one read: each is 64 KB at most, unless one message is more. */
const READ_PACKS = 16;

export class LogFeed implements LogView {
  readonly keys: LogKeys;
  readonly #driver: Driver;
  readonly #store: LogStore;
  readonly #onMembers: (feed: LogFeed, some: boolean) => void;
  readonly #members = new Set<Member>();
  readonly #looks = new Map<string, Promise<LogLook>>();
  /** Packs that follow each other, up to the head. */
  #window: LogPack[] = [];
  #epoch = 0;
  #head = 0;
  /** When that was appended; 0 where nothing is known. */
  #at = 0;
  #doubts = 0;
  #hasNews = false;
  #poll: Timer | undefined;
  #opening: Promise<void> | undefined;
  #stop: AbortController | undefined;

  /** @param onMembers told when the first member comes and when the last one has left */
  constructor(driver: Driver, keys: LogKeys, onMembers: (feed: LogFeed, some: boolean) => void) {
    this.#driver = driver;
    this.keys = keys;
    this.#store = new LogStore(driver, keys, { op: OP, name: keys.key });
    this.#onMembers = onMembers;
  }

  get runtime(): Runtime {
    return this.#driver.runtime;
  }

  /** Of the log as far as it is known here; 0 where nothing is. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Offset of the last message that is known of. */
  get head(): number {
    return this.#head;
  }

  /** When that was appended; 0 where nothing is known. */
  get at(): number {
    return this.#at;
  }

  /** Rises whenever something may have been missed. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Must be closed. @param onReady called when there may be something to take, or it has ended */
  read(start: LogStart, onReady?: () => void): LogReader {
    const reader = new LogReader(this, this.#store, start, onReady, () => this.#leave(reader));
    this.#join(reader);
    return reader;
  }

  /** Calls `onNews` when the head has moved, or may have: after a reconnect, and after silence. Must be closed. */
  listen(onNews: () => void, onFailure: (error: unknown) => void): LogListener {
    const listener: Member = { wake: onNews, fail: onFailure, close: () => this.#leave(listener) };
    this.#join(listener);
    return listener;
  }

  /** Resolves once the server has confirmed the subscription; rejects where it refuses it, and when nobody is here any more. */
  opened(): Promise<void> {
    return this.#opening ?? Promise.reject(new Error("nobody reads"));
  }

  /** The pack with that message, if it is one of the last. */
  recent(offset: number): LogPack | undefined {
    const window = this.#window;
    let [low, high] = [0, window.length - 1];
    if (high < 0 || offset < window[0]!.first || offset > this.#head) return undefined;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (window[middle]!.first <= offset) low = middle;
      else high = middle - 1;
    }
    return window[low];
  }

  /** Packs from the one on that contains `from`, or the first behind it. Cost: none where it is one of the last, else XRANGE. */
  async packs(from: number, count: number = READ_PACKS): Promise<readonly LogPack[]> {
    const first = this.recent(from);
    if (first === undefined) return this.#store.range(from, count);
    const at = this.#window.indexOf(first);
    return this.#window.slice(at, at + count);
  }

  /** The log from `from` on, at most so many packs, and its end. Readers at one place that ask at the same time share it. */
  look(from: number, count: number): Promise<LogLook> {
    const id = `${this.#doubts}:${from}:${count}`;
    const known = this.#looks.get(id);
    if (known !== undefined) return known;
    const before = { head: this.#head, at: this.#at };
    const look = this.#store.look(from, count).then((found) => {
      this.#seen(found.tail, before);
      return found;
    });
    this.#looks.set(id, look);
    const forget = (): void => void this.#looks.delete(id);
    look.then(forget, forget);
    return look;
  }

  /** What is known of the log is of another one, or of an end that it has lost. */
  forget(): void {
    [this.#epoch, this.#head, this.#at] = [0, 0, 0];
    this.#doubt();
  }

  /** Ends all who read. */
  close(): void {
    for (const member of this.#members) member.close();
  }

  #join(member: Member): void {
    this.#members.add(member);
    if (this.#stop !== undefined) return;
    this.#onMembers(this, true);
    this.#stop = new AbortController();
    this.#opening = this.#open(this.#stop.signal);
    this.#opening.catch(() => undefined);
    this.#poll = this.#driver.runtime.setInterval(this.#onSilence, POLL_MS);
    this.#poll.unref();
  }

  #leave(member: Member): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#onMembers(this, false);
    this.#stop?.abort();
    this.#stop = undefined;
    this.#opening = undefined;
    this.#driver.runtime.clearInterval(this.#poll);
    [this.#epoch, this.#head, this.#at, this.#window] = [0, 0, 0, []];
  }

  /** Until it has come about, or nobody is here any more. */
  async #open(signal: AbortSignal): Promise<void> {
    const call = { op: OP, class: "idempotent", key: this.keys.key } as const;
    const listener = {
      message: (payload: Buffer) => signal.aborted || this.#told(newsOf(payload)),
      gap: () => signal.aborted || this.#doubt(),
    };
    const pause = new Pause(this.runtime, signal);
    for (;;) {
      signal.throwIfAborted();
      try {
        const subscription = await this.#driver.subscribe("sharded", this.keys.live, listener, call);
        signal.addEventListener("abort", () => void leave(subscription));
        if (signal.aborted) return void leave(subscription);
        return this.#doubt();
      } catch (error) {
        if (!canPass(error)) {
          for (const member of this.#members) member.fail(error);
          throw error;
        }
        await pause.next();
      }
    }
  }

  readonly #onSilence = (): void => {
    if (this.#hasNews) this.#hasNews = false;
    else this.#doubt();
  };

  /** Also of the packs that came last: after a failover others may stand in their places. */
  #doubt(): void {
    this.#window = [];
    this.#doubts += 1;
    this.#wakeAll();
  }

  #told(news: LogNews | undefined): void {
    if (news === undefined) return;
    this.#hasNews = true;
    const { epoch, first, last, at, pack } = news;
    // What a read has shown already. Times do not go back: what is newer than the head, and not behind it, has taken a lost one's place.
    if (epoch === this.#epoch && last <= this.#head && at <= this.#at) return;
    const follows = epoch === this.#epoch && first === this.#head + 1;
    [this.#epoch, this.#head, this.#at] = [epoch, last, at];
    if (!follows || pack === undefined) this.#window = [];
    if (pack !== undefined) this.#window.push(pack);
    if (this.#window.length > MAX_WINDOW) this.#window.shift();
    if (!follows) this.#doubts += 1;
    this.#wakeAll();
  }

  /** @param before what was known when it was asked for: what has come since may be beyond what was seen */
  #seen({ epoch, head, at }: LogTail, before: Pick<LogTail, "head" | "at">): void {
    const isSame = epoch === this.#epoch;
    const isLess = !isSame || head < before.head || (head === before.head && at !== before.at);
    if (!isLess && head <= this.#head) return;
    const isFirst = this.#epoch === 0;
    [this.#epoch, this.#head, this.#at, this.#window] = [epoch, head, at, []];
    if (isLess && !isFirst) this.#doubts += 1;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const member of this.#members) member.wake();
  }
}

function leave(subscription: Subscription): Promise<void> {
  return subscription.close().catch(() => undefined);
}
