/**
 * Which messages are handled when: up to `concurrency` calls at once, partitions in turn; messages of one key one after the other, in their
 * order, those without a key as they come. One that fails is parked until its back-off is over, and with it its key only.
 */
import { isThenable } from "../../base/door.ts";
import { MAX_TIMER_MS } from "../../base/options.ts";
import type { Runtime } from "../../base/runtime.ts";
import { Pace, type PaceSettings } from "../pace.ts";
import { Fifo } from "./fifo.ts";
import type { Share, Work } from "./share.ts";

/** What has become of a message. */
export type Outcome =
  | { readonly status: "finished" }
  | { readonly status: "again"; readonly delayMs: number }
  /** The subscription, or the partition, ends before it. */
  | { readonly status: "left" };

export interface SchedulerTerms {
  readonly concurrency: number;
  readonly rate: PaceSettings | undefined;
  /** Messages of one call, at most. */
  readonly size: number;
  readonly lingerMs: number;
}

/** What handles messages, and says what has become of each. Neither throws nor rejects. */
export interface Performer {
  /** A handler that returns at once has no promise to wait for. */
  one(work: Work): Outcome | Promise<Outcome>;
  /** All of one partition. */
  many(works: readonly Work[]): Promise<readonly Outcome[]>;
}

export const FINISHED: Outcome = { status: "finished" };

export class Scheduler {
  readonly #runtime: Runtime;
  readonly #terms: SchedulerTerms;
  readonly #performer: Performer;
  readonly #pace: Pace | undefined;
  /** Those with something ready, in turn. */
  readonly #line = new Fifo<Share>();
  #running = 0;
  #isPaused = false;
  #isBeginning = false;

  /** @param performer of single messages where `size` is 1 */
  constructor(runtime: Runtime, terms: SchedulerTerms, performer: Performer) {
    this.#runtime = runtime;
    this.#terms = terms;
    this.#performer = performer;
    if (terms.rate !== undefined) this.#pace = new Pace(runtime, terms.rate, () => this.#begin());
  }

  /** Calls of the handler. */
  get running(): number {
    return this.#running;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#begin();
  }

  /** Nothing begins any more. */
  close(): void {
    this.pause();
    this.#pace?.close();
  }

  /** A message in its order; it begins with the next `look`. */
  add(work: Work): void {
    if (work.share.add(work)) this.#isReady(work.share);
  }

  look(): void {
    this.#begin();
  }

  #isReady(share: Share): void {
    if (share.isInLine) return;
    const { size, lingerMs } = this.#terms;
    if (size === 1 || lingerMs === 0 || share.queued >= size) return this.#queue(share);
    share.linger ??= this.#runtime.setTimeout(() => {
      share.linger = undefined;
      this.#queue(share);
      this.#begin();
    }, lingerMs);
  }

  #queue(share: Share): void {
    if (share.linger !== undefined) {
      this.#runtime.clearTimeout(share.linger);
      share.linger = undefined;
    }
    if (share.isInLine || share.isStopped) return;
    share.isInLine = true;
    this.#line.push(share);
  }

  /** What becomes ready meanwhile, as a handler has returned at once, is begun by the same loop. */
  #begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    this.#beginAll();
    this.#isBeginning = false;
  }

  #beginAll(): void {
    while (!this.#isPaused && this.#running < this.#terms.concurrency) {
      if (this.#line.length === 0) return;
      const most = Math.min(this.#terms.size, this.#pace?.free ?? Infinity);
      if (most === 0) return;
      const share = this.#line.shift()!;
      share.isInLine = false;
      if (this.#terms.size === 1) this.#beginOne(share);
      else this.#beginMany(share, most);
    }
  }

  #beginOne(share: Share): void {
    const work = share.ready.shift();
    if (work === undefined) return;
    work.isTaken = true;
    share.queued -= 1;
    this.#pace?.begin(1);
    if (share.ready.length > 0) this.#queue(share);
    this.#runOne(share, work);
  }

  #beginMany(share: Share, most: number): void {
    const works = this.#take(share, most);
    this.#pace?.begin(works.length);
    if (share.ready.length > 0) this.#queue(share);
    if (works.length > 0) void this.#runMany(share, works);
  }

  #take(share: Share, most: number): Work[] {
    const works: Work[] = [];
    while (works.length < most) {
      const first = share.ready.first;
      if (first === undefined || (first.isAlone && works.length > 0)) break;
      share.ready.shift();
      // What is behind it of its key is in the same call, as far as there is room.
      for (let work: Work | undefined = first; work !== undefined; work = work.next) {
        if (works.length === most) break;
        if (work.isAlone && works.length > 0) break;
        work.isTaken = true;
        works.push(work);
        if (first.isAlone) break;
      }
      if (first.isAlone) break;
    }
    share.queued -= works.length;
    return works;
  }

  #runOne(share: Share, work: Work): void {
    this.#running += 1;
    share.running += 1;
    const outcome = this.#performer.one(work);
    if (!isThenable(outcome)) return this.#ranOne(share, work, outcome);
    void outcome.then((later) => this.#ranLater(share, work, later));
  }

  #ranLater(share: Share, work: Work, outcome: Outcome): void {
    this.#ranOne(share, work, outcome);
    this.#begin();
  }

  #ranOne(share: Share, work: Work, outcome: Outcome): void {
    this.#running -= 1;
    if (!share.isOver) {
      work.isTaken = false;
      if (outcome.status === "finished") this.#finish(share, work);
      else if (outcome.status === "again") this.#park(share, work, outcome.delayMs);
    }
    share.ended();
  }

  async #runMany(share: Share, works: readonly Work[]): Promise<void> {
    this.#running += 1;
    share.running += 1;
    const outcomes = await this.#performer.many(works);
    this.#running -= 1;
    if (!share.isOver) share.together(() => this.#settle(share, works, outcomes));
    share.ended();
    this.#begin();
  }

  #settle(share: Share, works: readonly Work[], outcomes: readonly Outcome[]): void {
    /** Of messages of this call that are not finished: what is behind them of their keys is delivered again, after them. */
    const held = new Set<string>();
    for (const [at, work] of works.entries()) {
      const outcome = outcomes[at]!;
      const { key } = work;
      work.isTaken = false;
      const isHeld = key !== undefined && held.has(key);
      if (!isHeld && outcome.status === "finished") {
        this.#finish(share, work);
        continue;
      }
      if (works.length > 1) work.isAlone = true;
      if (key !== undefined) held.add(key);
      if (isHeld) share.queued += 1;
      else if (outcome.status === "again") this.#park(share, work, outcome.delayMs);
    }
  }

  #finish(share: Share, work: Work): void {
    const next = share.finish(work);
    if (next !== undefined && !next.isTaken) this.#again(next);
  }

  #park(share: Share, work: Work, ms: number): void {
    share.queued += 1;
    if (ms === 0) return this.#again(work);
    share.park(work, Math.min(ms, MAX_TIMER_MS), () => {
      this.#again(work);
      this.#begin();
    });
  }

  #again(work: Work): void {
    const { share } = work;
    if (share.isStopped) return;
    share.ready.push(work);
    this.#isReady(share);
  }
}
