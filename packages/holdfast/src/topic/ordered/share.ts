/**
 * What one owned partition has in work: which messages are ready, which wait for another of their key, which are parked until they
 * are tried again. It is over, for all of them at once, when the partition is lost.
 */
import { Deferred } from "../../base/deferred.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { LogPack } from "../../core/log/pack.ts";
import type { PartitionState, Resolved } from "../state/partition-state.ts";
import { Fifo } from "./fifo.ts";
import { Window } from "./window.ts";

/** Of failed messages, whose counts outlive this process. */
const MAX_REMEMBERED = 100;
/** Before the names of letters, where offsets are numbers. */
const LETTER = "c";
/** In one commit. */
const MAX_SETTLED = 1_000;

/** A dead letter that was put back. */
export interface Letter {
  readonly name: string;
  readonly place: string;
}

/** A message on its way through this process, from when it was read until it is finished. */
export class Work {
  readonly share: Share;
  readonly pack: LogPack;
  readonly offset: number;
  readonly key: string | undefined;
  /** Where it is no message of the log. */
  readonly letter: Letter | undefined;
  /** How often its handler has failed. */
  failures: number;
  /** The next message of its key, which waits for this one. */
  next: Work | undefined = undefined;
  /** A handler has it. */
  isTaken = false;
  /** What its call makes of the state, in the place of all messages of that call. */
  resolved: Resolved | undefined = undefined;
  /** It was in a call for several that has failed: its next one is for it alone. */
  isAlone = false;

  constructor(share: Share, pack: LogPack, offset: number, key: string | undefined, letter?: Letter) {
    this.share = share;
    this.pack = pack;
    this.offset = offset;
    this.key = key;
    this.letter = letter;
    this.failures = share.failures.get(this.place) ?? 0;
  }

  /** Names it among those of its partition. */
  get place(): string {
    return this.letter === undefined ? String(this.offset) : `${LETTER}${this.letter.name}`;
  }
}

interface Waiting {
  readonly condition: () => boolean;
  readonly reached: Deferred<void>;
}

export class Share {
  readonly partition: number;
  readonly fence: number;
  readonly ready: Fifo<Work> = new Fifo();
  readonly window: Window;
  /** Of messages that are not finished: by place, how often their handlers have failed. */
  readonly failures: Map<string, number>;
  /** Something has failed, or what had is finished, since this was set to false. */
  haveFailuresChanged = false;
  /** Begun by nobody yet. */
  queued = 0;
  /** Calls of the handler. */
  running = 0;
  /** It stands in the line of those that have something ready. */
  isInLine = false;
  linger: Timer | undefined;
  /** Redriven letters that are not finished. */
  letters = 0;
  /** Of a transactional subscription. */
  readonly state: PartitionState | undefined;
  /** Those that are, and the server does not know of. */
  #handled: Letter[] = [];
  readonly #runtime: Runtime;
  readonly #controller = new AbortController();
  /** The last message of each key that is not finished. */
  readonly #lastOfKey = new Map<string, Work>();
  readonly #parked = new Map<Work, Timer>();
  readonly #onFinished: () => void;
  readonly #waiting = new Set<Waiting>();
  #isTogether = false;
  #hasFinished = false;
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
      state,
    }: {
      partition: number;
      fence: number;
      size: number;
      cursor: number;
      tries: string;
      state?: PartitionState | undefined;
    },
    onFinished: () => void,
  ) {
    this.#runtime = runtime;
    this.partition = partition;
    this.fence = fence;
    this.state = state;
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
    const { key, letter } = work;
    if (letter !== undefined) this.letters += 1;
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
    if (work.letter === undefined) this.window.finish(work.offset);
    else this.#finishLetter(work.letter);
    if (this.failures.size > 0 && this.failures.delete(work.place)) this.haveFailuresChanged = true;
    if (work.resolved !== undefined) this.state?.merge(work.resolved);
    const { key, next } = work;
    if (next === undefined && key !== undefined && this.#lastOfKey.get(key) === work) this.#lastOfKey.delete(key);
    this.#told();
    return next;
  }

  /** Messages of one call are finished together: no commit passes some of them. */
  together(finish: () => void): void {
    this.#isTogether = true;
    finish();
    this.#isTogether = false;
    if (this.#hasFinished) this.#told();
  }

  #told(): void {
    this.#hasFinished = this.#isTogether;
    if (this.#isTogether) return;
    this.#onFinished();
    this.#notify();
  }

  get hasHandledLetters(): boolean {
    return this.#handled.length > 0;
  }

  /** For the next commit. With a state all of them: what they have changed goes with it as a whole. */
  takeHandledLetters(): readonly Letter[] {
    return this.#handled.splice(0, this.state === undefined ? MAX_SETTLED : this.#handled.length);
  }

  /** It was not given to a handler. */
  skipLetter(letter: Letter): void {
    this.#handled.push(letter);
    this.#onFinished();
  }

  /** What was counted of letters that are there no more. */
  forgetLetters(isThere: (name: string) => boolean): void {
    for (const place of this.failures.keys()) {
      if (!place.startsWith(LETTER) || isThere(place.slice(LETTER.length))) continue;
      this.failures.delete(place);
      this.haveFailuresChanged = true;
    }
  }

  #finishLetter(letter: Letter): void {
    this.letters -= 1;
    this.#handled.push(letter);
  }

  /** Goes on behind this offset, of the same log or of a new one. All that was read must be finished. */
  jump(to: number, isNewLog: boolean): void {
    this.window.jump(to);
    if (isNewLog) this.window.committed = to;
    // What former owners have counted of messages that are gone is nothing of others.
    for (const place of this.failures.keys()) {
      if (place.startsWith(LETTER) || (!isNewLog && Number(place) > to)) continue;
      this.failures.delete(place);
      this.haveFailuresChanged = true;
    }
  }

  /** The server has this cursor. */
  committed(cursor: number): void {
    this.window.committed = cursor;
    this.#notify();
  }

  fail(work: Work): void {
    work.failures += 1;
    this.failures.set(work.place, work.failures);
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
  until(condition: () => boolean): Promise<void> {
    const reached = new Deferred<void>();
    if (condition()) reached.resolve();
    else this.#waiting.add({ condition, reached });
    return reached.promise;
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
      .map(([place, count]) => `${place}:${count}`)
      .join(" ");
  }

  #notify(): void {
    for (const waiting of this.#waiting) {
      if (!waiting.condition()) continue;
      this.#waiting.delete(waiting);
      waiting.reached.resolve();
    }
  }
}

function pairOf(text: string): [string, number] {
  const [place, count] = text.split(":");
  return [place!, Number(count)];
}
