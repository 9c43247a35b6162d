/**
 * What one owned partition has in work: which messages are ready, which wait for another of their key, which are parked until they
 * are tried again. It is over, for all of them at once, when the partition is lost.
 */
import { Deferred } from "../../base/deferred.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { LogPack } from "../../core/log/pack.ts";
import { Fifo } from "./fifo.ts";
import { Window } from "./window.ts";

/** Of failed messages, whose counts outlive this process. */
const MAX_REMEMBERED = 100;

/** A message on its way through this process, from when it was read until it is finished. */
export class Work {
  readonly share: Share;
  readonly pack: LogPack;
  readonly offset: number;
  readonly key: string | undefined;
  /** How often its handler has failed. */
  failures: number;
  /** The next message of its key, which waits for this one. */
  next: Work | undefined = undefined;
  /** A handler has it. */
  isTaken = false;
  /** It was in a call for several that has failed: its next one is for it alone. */
  isAlone = false;

  constructor(share: Share, pack: LogPack, offset: number, key: string | undefined) {
    this.share = share;
    this.pack = pack;
    this.offset = offset;
    this.key = key;
    this.failures = share.failures.get(offset) ?? 0;
  }
}

export class Share {
  readonly partition: number;
  readonly fence: number;
  readonly ready: Fifo<Work> = new Fifo();
  readonly window: Window;
  /** Of messages that are not finished: by offset, how often their handlers have failed. */
  readonly failures: Map<number, number>;
  /** Something has failed, or what had is finished, since this was set to false. */
  haveFailuresChanged = false;
  /** Begun by nobody yet. */
  queued = 0;
  /** Calls of the handler. */
  running = 0;
  /** It stands in the line of those that have something ready. */
  isInLine = false;
  linger: Timer | undefined;
  readonly #runtime: Runtime;
  readonly #controller = new AbortController();
  /** The last message of each key that is not finished. */
  readonly #lastOfKey = new Map<string, Work>();
  readonly #parked = new Map<Work, Timer>();
  readonly #onFinished: () => void;
  #changed: Deferred<void> | undefined;
  #isStopped = false;
  #isOver = false;

  /** @param onFinished called after a message was finished */
  constructor(
    runtime: Runtime,
    {
      partition,
      fence,
      size,
      cursor,
      tries,
    }: { partition: number; fence: number; size: number; cursor: number; tries: string },
    onFinished: () => void,
  ) {
    this.#runtime = runtime;
    this.partition = partition;
    this.fence = fence;
    this.window = new Window(size, cursor);
    this.failures = new Map(tries.split(" ").flatMap((each) => (each === "" ? [] : [pairOf(each)])));
    this.#onFinished = onFinished;
  }

  /** For handlers: aborts when what they do does not count any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Nothing of it begins any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nor does count what ends. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes a message in its order. Whether it is ready: none of its key is before it. */
  add(work: Work): boolean {
    this.queued += 1;
    const { key } = work;
    if (key !== undefined) {
      const last = this.#lastOfKey.get(key);
      this.#lastOfKey.set(key, work);
      if (last !== undefined) {
        last.next = work;
        return false;
      }
    }
    this.ready.push(work);
    return true;
  }

  /** The message has been dealt with. Returns the next of its key, which is ready now. */
  finish(work: Work): Work | undefined {
    this.window.finish(work.offset);
    if (this.failures.size > 0 && this.failures.delete(work.offset)) this.haveFailuresChanged = true;
    const { key, next } = work;
    if (next === undefined && key !== undefined && this.#lastOfKey.get(key) === work) this.#lastOfKey.delete(key);
    this.#onFinished();
    this.#notify();
    return next;
  }

  /** Goes on behind this offset, of the same log or of a new one. All that was read must be finished. */
  jump(to: number, isNewLog: boolean): void {
    this.window.jump(to);
    // What former owners have counted of messages that are gone is nothing of others.
    for (const offset of this.failures.keys()) {
      if (!isNewLog && offset > to) continue;
      this.failures.delete(offset);
      this.haveFailuresChanged = true;
    }
  }

  fail(work: Work): void {
    work.failures += 1;
    this.failures.set(work.offset, work.failures);
    this.haveFailuresChanged = true;
  }

  /** `tried` is called in so long, unless it is over by then. */
  park(work: Work, ms: number, tried: () => void): void {
    const timer = this.#runtime.setTimeout(() => {
      this.#parked.delete(work);
      tried();
    }, ms);
    this.#parked.set(work, timer);
  }

  ended(): void {
    this.running -= 1;
    this.#notify();
  }

  /** Resolves when the condition is true, which is looked at when a message was finished, a handler has ended, or it was stopped. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.#changed ??= new Deferred();
      await this.#changed.promise;
    }
  }

  /** Nothing begins any more; what runs goes on. */
  stop(): void {
    this.#isStopped = true;
    this.ready.clear();
    this.queued = 0;
    this.#runtime.clearTimeout(this.linger);
    for (const timer of this.#parked.values()) this.#runtime.clearTimeout(timer);
    this.#parked.clear();
    this.#notify();
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stop();
    this.abort(reason);
  }

  /** As text, for the next owner. */
  tries(): string {
    this.haveFailuresChanged = false;
    return [...this.failures]
      .slice(0, MAX_REMEMBERED)
      .map(([offset, count]) => `${offset}:${count}`)
      .join(" ");
  }

  #notify(): void {
    const changed = this.#changed;
    if (changed === undefined) return;
    this.#changed = undefined;
    changed.resolve();
  }
}

function pairOf(text: string): [number, number] {
  const [offset, count] = text.split(":");
  return [Number(offset), Number(count)];
}
