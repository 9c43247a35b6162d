/**
 * The time for which this process owns a partition: reads it from its cursor, hands the messages on in their order, and commits.
 *
 *     taken --> reads and commits, its lease renewed --> drains (it is another's now, or the subscription closes) --> released
 *           --> lease not renewed in time, or "stale": over at once. Nothing that ends later counts, and whoever is next begins at the cursor
 */
import { HoldfastError, LeaseLostError } from "../../base/errors.ts";
import { type Runtime, within } from "../../base/runtime.ts";
import type { LogFeed } from "../../core/log/feed.ts";
import type { Frame } from "../../core/log/frame.ts";
import type { LogPack } from "../../core/log/pack.ts";
import type { LogItem, LogReader } from "../../core/log/reader.ts";
import { TimedLease } from "../../core/lease/timed-lease.ts";
import { Pause } from "../../core/retry/pause.ts";
import type { DeadLetterStore } from "../dead/store.ts";
import type { PartitionState } from "../state/partition-state.ts";
import type { TopicGap } from "../subscription.ts";
import { Commits } from "./commits.ts";
import { Letters } from "./letters.ts";
import type { OrderedSettings } from "./options.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Seen } from "./seen.ts";
import { Share, Work } from "./share.ts";
import type { OrderedStore } from "./store.ts";

/** For handlers whose signal has aborted. */
const GRACE_MS = 1_000;

/** What the server said as it gave the partition. */
export interface Grant {
  readonly fence: number;
  readonly cursor: number;
  readonly epoch: number;
  readonly lost: boolean;
  readonly tries: string;
  /** Up to where dead letters were put back. */
  readonly redriven: number;
  /** Of the subscription's state, in this partition. */
  readonly names: number;
}

export interface TenureParts {
  readonly runtime: Runtime;
  readonly partition: number;
  readonly label: string;
  readonly store: OrderedStore;
  readonly letters: DeadLetterStore;
  readonly feed: LogFeed;
  /** Of a transactional subscription. */
  readonly state: ((names: number, until: () => AbortSignal) => PartitionState) | undefined;
  /** Whether the message at this offset is a dead letter already. */
  readonly isBuried: (offset: number) => Promise<boolean>;
  readonly scheduler: Scheduler;
  readonly settings: OrderedSettings;
  readonly seen: Seen;
  readonly onSkipped: () => void;
  readonly onGap: (gap: TopicGap) => Promise<void>;
  /** What no waiting will mend. */
  readonly onFault: (error: unknown) => void;
  readonly report: (error: unknown) => void;
  /** It is over, by whatever. */
  readonly onEnd: () => void;
}

export class Tenure {
  readonly share: Share;
  readonly #parts: TenureParts;
  readonly #lease: TimedLease;
  readonly #stopped = new AbortController();
  readonly #reading: Promise<void>;
  readonly #commits: Commits;
  readonly #letters: Letters;
  #leaving: Promise<void> | undefined;
  /** The offset of a message that is a dead letter, and not passed. */
  #buried = -1;
  /** That the log has lost its end is being told, or was. */
  #isEndTold = false;

  /** @param grantedAt from before it was asked for */
  constructor(parts: TenureParts, grant: Grant, grantedAt: number) {
    const { runtime, partition, settings, store } = parts;
    const { fence, cursor, epoch, tries } = grant;
    this.#parts = parts;
    const state = parts.state?.(grant.names, () => this.share.signal);
    const terms = { partition, fence, size: settings.window, cursor, tries, state };
    this.share = new Share(runtime, terms, () => {
      this.#commits.finished();
      this.#letters.goOn();
    });
    const onRefused = (status: keyof typeof WHY): void => this.#refused(status);
    this.#commits = new Commits(
      { runtime, store, share: this.share, onRefused, onFault: parts.onFault },
      epoch,
      grant.lost,
    );
    this.#letters = new Letters({
      runtime,
      share: this.share,
      store: parts.letters,
      window: settings.window,
      stopped: this.#stopped.signal,
      isWanted: (frame) => this.#isWanted(frame),
      laneOf: (frame) => this.#laneOf(frame),
      scheduler: parts.scheduler,
      onFault: parts.onFault,
    });
    const port = {
      extend: async (ttlMs: number, call: { readonly timeoutMs: number }) => {
        const answer = await store.renew(partition, fence, ttlMs, call);
        if (answer.status !== "ok") return "stolen" as const;
        void this.#letters.look(answer.redriven);
        return "extended" as const;
      },
      release: async () => {
        await store.release(partition, fence);
        return "released" as const;
      },
    };
    const lease = { label: parts.label, ttlMs: settings.leaseMs, renew: true, maxHoldMs: Infinity };
    // Once it is known why.
    const onEnd = (): void => queueMicrotask(() => this.#over(this.#lease.signal.reason));
    this.#lease = new TimedLease(runtime, port, lease, grantedAt, onEnd);
    this.#reading = this.#read(grant);
  }

  get isOver(): boolean {
    // Looks at the clock: an event loop that was blocked has not run the timer yet.
    return !this.#lease.held || this.share.isOver;
  }

  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Somebody may have moved the cursor. */
  async look(): Promise<void> {
    await this.#lease.extend(this.#parts.settings.leaseMs).catch(() => undefined);
  }

  /** What is finished up to this offset is committed, or the partition is lost. */
  reach(offset: number): Promise<void> {
    return this.#commits.reach(offset);
  }

  /** Finishes what is in work, for at most `drainMs`, commits, and gives the partition back. Never rejects. */
  leave(drainMs: number): Promise<void> {
    this.#leaving ??= this.#leave(drainMs);
    return this.#leaving;
  }

  async #leave(drainMs: number): Promise<void> {
    const { runtime } = this.#parts;
    this.share.stop();
    this.#stopped.abort();
    const isIdle = (): boolean => this.share.running === 0;
    if ((await within(runtime, drainMs, this.share.until(isIdle))) === "late") {
      this.share.abort(new HoldfastError("ABORTED", `${this.#parts.label}: its drain is over`));
      await within(runtime, GRACE_MS, this.share.until(isIdle));
    }
    // It may be waiting for the user's `onGap`.
    await within(runtime, GRACE_MS, this.#reading);
    await this.#commits.flush();
    this.share.end(new HoldfastError("ABORTED", `${this.#parts.label}: it was given back`));
    // Where no server answers, it ends by itself.
    await this.#lease.release().catch(() => undefined);
  }

  /** A commit was. Where it knows before the reader that the log has lost its end, it is the one to tell. */
  #refused(status: keyof typeof WHY): void {
    if (status === "lost" && !this.share.isOver && !this.#isEndTold) void this.#tellReset();
    this.#over(this.#lost(status));
  }

  #tellReset(): Promise<void> {
    const { partition, onGap, seen } = this.#parts;
    seen.forget(partition);
    return onGap({ kind: "reset", partition, from: undefined, to: undefined, count: undefined });
  }

  #lost(status: keyof typeof WHY): LeaseLostError {
    return new LeaseLostError("stolen", `${this.#parts.label}: ${WHY[status]}`);
  }

  /** Its lease is lost, or it is released. */
  #over(reason: unknown): void {
    if (!this.share.isOver) {
      this.share.end(reason);
      this.#stopped.abort();
      this.#commits.stop();
      // The server refuses it where another has it.
      void this.#lease.release().catch(() => undefined);
    }
    void this.#cease();
  }

  /** What this process owns next is not handled beside what it has lost: not for longer than `drain`. */
  async #cease(): Promise<void> {
    const { runtime, settings, onEnd } = this.#parts;
    if (this.share.running > 0)
      await within(
        runtime,
        settings.drainMs,
        this.share.until(() => this.share.running === 0),
      );
    onEnd();
  }

  async #read({ lost, redriven }: Grant): Promise<void> {
    const { feed, onFault, runtime, settings } = this.#parts;
    const { share } = this;
    const pause = new Pause(runtime, this.#stopped.signal);
    if (settings.transactional) await this.#passBuried(share.window.read + 1);
    // What a former owner has not finished of them comes before what is read behind them.
    await this.#letters.look(redriven);
    if (lost) {
      await this.#tellReset();
      this.#commits.finished();
    } else if (await this.#hasLostEnd(pause)) await this.#tellReset();
    while (!this.#stopped.signal.aborted) {
      const after = { epoch: this.#commits.epoch, offset: this.share.window.read, at: 0 };
      const reader = feed.read({ after });
      try {
        await this.#readFrom(reader);
      } catch (error) {
        onFault(error);
        await pause.next();
      } finally {
        reader.close();
      }
    }
  }

  /** A former owner has made a dead letter of it, and did not come to pass it: the letter stands for it. */
  async #passBuried(offset: number): Promise<void> {
    const { runtime, isBuried, onFault } = this.#parts;
    const pause = new Pause(runtime, this.#stopped.signal);
    while (!this.#stopped.signal.aborted) {
      try {
        if (await isBuried(offset)) this.#buried = offset;
        return;
      } catch (error) {
        onFault(error);
        await pause.next();
      }
    }
  }

  /** Of what this process had read before it took the partition. */
  async #hasLostEnd(pause: Pause): Promise<boolean> {
    const { partition, feed, seen, onFault } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      try {
        return await seen.isLost(partition, this.#commits.epoch, feed);
      } catch (error) {
        onFault(error);
        await pause.next();
      }
    }
    return false;
  }

  async #readFrom(reader: LogReader): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const item = reader.take() ?? (await reader.next(signal));
      if (item === undefined) return;
      if (item.kind === "pack") {
        if (!this.#takeAtOnce(item)) await this.#take(item);
      } else await this.#missing(item, reader);
    }
  }

  /** Whether it could be taken without waiting: it follows on what was read, there is room for all of it, and it can be read. */
  #takeAtOnce({ pack, from }: Extract<LogItem, { kind: "pack" }>): boolean {
    const { window, isStopped } = this.share;
    if (isStopped || from !== window.read + 1 || pack.last - window.read > window.room || pack.fault !== undefined)
      return false;
    this.#enter(pack, from);
    for (let offset = from; offset <= pack.last; offset += 1) this.#add(pack, offset);
    this.#parts.scheduler.look();
    return true;
  }

  async #take({ pack, from }: Extract<LogItem, { kind: "pack" }>): Promise<void> {
    const { scheduler } = this.#parts;
    const { share } = this;
    const { window } = share;
    if (pack.fault !== undefined) return this.#missPack(pack);
    // Of a log of which nothing was known the first messages may be gone.
    if (from > window.read + 1) {
      await this.#allPassed();
      if (share.isStopped) return;
      share.jump(from - 1, false);
    }
    this.#enter(pack, from);
    for (let offset = from; offset <= pack.last; offset += 1) {
      if (window.room === 0) {
        scheduler.look();
        await share.until(() => window.room > 0 || share.isStopped);
      }
      if (share.isStopped) return;
      this.#add(pack, offset);
    }
    scheduler.look();
  }

  #enter(pack: LogPack, from: number): void {
    const { share } = this;
    this.#commits.epoch = pack.epoch;
    share.window.stretch(from, pack.last, pack.at);
    this.#parts.seen.read(share.partition, pack.point(pack.last));
  }

  #add(pack: LogPack, offset: number): void {
    const { share } = this;
    const frame = pack.frame(offset);
    share.window.begin();
    if (offset !== this.#buried && this.#isWanted(frame))
      return this.#parts.scheduler.add(new Work(share, pack, offset, this.#laneOf(frame)));
    share.window.finish(offset);
    this.#commits.finished();
  }

  /** It cannot be read, which is said as a gap. */
  #missPack(pack: LogPack): Promise<void> {
    this.#parts.report(pack.fault);
    return this.#gap({ from: pack.first, to: pack.last, count: pack.last - pack.first + 1 });
  }

  /** What is handled one after the other: messages of a key; of a transactional subscription all of the partition. */
  #laneOf({ key }: Frame): string | undefined {
    return this.#parts.settings.transactional ? "" : key;
  }

  #isWanted({ key, headers, id }: Frame): boolean {
    const { settings, onSkipped } = this.#parts;
    if (settings.filter === undefined) return true;
    try {
      const isWanted = settings.filter({ key, headers, id });
      if (!isWanted) onSkipped();
      return isWanted;
    } catch (error) {
      this.#parts.report(error);
      return true;
    }
  }

  /** Said in its place: when all before it is finished. */
  async #missing(item: Exclude<LogItem, { kind: "pack" }>, reader: LogReader): Promise<void> {
    if (item.kind === "gap") return this.#gap(item);
    await this.#allPassed();
    if (this.share.isStopped) return;
    this.#isEndTold = item.epoch === this.#commits.epoch;
    await this.#tellReset();
    // Of the same log the end was lost, and the cursor on the server lies before that.
    if (this.#isEndTold) return this.#over(this.#lost("lost"));
    this.#commits.epoch = item.epoch;
    this.share.jump(reader.point.offset, true);
    this.#commits.finished();
  }

  async #gap({ from, to, count }: Pick<Extract<LogItem, { kind: "gap" }>, "from" | "to" | "count">): Promise<void> {
    await this.#allPassed();
    if (this.share.isStopped) return;
    await this.#parts.onGap({ kind: "gap", partition: this.#parts.partition, from, to, count });
    this.share.jump(to, false);
    this.#commits.finished();
  }

  #allPassed(): Promise<void> {
    const { share } = this;
    return share.until(() => share.window.passed === share.window.read || share.isStopped);
  }
}

const WHY = {
  stale: "another owns it, or it was moved",
  lost: "the server has lost messages that were read",
} as const;
