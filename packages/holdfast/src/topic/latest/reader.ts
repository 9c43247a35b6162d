/**
 * One reader of one partition: the newest message of each key in the order of their offsets, then the log.
 *
 *     filling: rows above its place, up to where the log ended as it began -- `filled` --> reading the log
 *     reading: packs; where the log has lost some, filling from its place up to there, tombstones included --> reading
 *     `reset` from either: what it has seen is not continued by what is there; whoever reads begins again
 *
 * The newest messages are the log without those that have a newer one of their key. So what is filled in is never older than what was seen
 * of its key, and what is read behind it is newer; a row that moves meanwhile is met at its new place.
 */
import { ClosedError } from "../../base/errors.ts";
import { canPass, type LogReader } from "../../core/log/reader.ts";
import type { LogFeed } from "../../core/log/feed.ts";
import type { LogPack, LogPoint } from "../../core/log/pack.ts";
import { Pause } from "../../core/retry/pause.ts";
import { packOf } from "./record.ts";
import type { LatestStore } from "./store.ts";

/** Where it begins: with all there is, with what of it is above a place, or in the log behind a place. */
export type LatestStart = { readonly kind: "snapshot" } | { readonly kind: "rest" | "after"; readonly point: LogPoint };

export type LatestItem =
  | { readonly kind: "pack"; readonly pack: LogPack; readonly from: number }
  | { readonly kind: "deleted"; readonly key: string; readonly point: LogPoint }
  | { readonly kind: "filled" }
  | { readonly kind: "reset" };

interface Filling {
  /** -1: where the log ends, until that is known. */
  upTo: number;
  /** When the message at `upTo` was appended; 0 where nobody knows. */
  at: number;
  /** Where the next rows are above; its time may be that of a row before. */
  from: LogPoint;
  readonly tombstones: boolean;
  /** It is said when it is over. */
  readonly isSnapshot: boolean;
  /** What comes behind it. */
  readonly behind: LatestItem | undefined;
}

const NOWHERE: LogPoint = { epoch: 0, offset: 0, at: 0 };
const LINE_END = 10;

export class LatestReader {
  readonly #partition: number;
  readonly #feed: LogFeed;
  readonly #store: LatestStore;
  readonly #onReady: () => void;
  readonly #stop = new AbortController();
  readonly #begunAt: number;
  /** The last that was taken. */
  #point: LogPoint = NOWHERE;
  #filling: Filling | undefined;
  #isAsking = false;
  #items: (LatestItem | { readonly kind: "end"; readonly point: LogPoint })[] = [];
  #log: LogReader | undefined;
  /** Of the newest messages, as far as it is known. */
  #began = 0;
  #failure: { readonly error: unknown } | undefined;

  /** @param onReady called when there may be something to take, or it has ended */
  constructor(feed: LogFeed, store: LatestStore, partition: number, start: LatestStart, onReady: () => void) {
    this.#feed = feed;
    this.#store = store;
    this.#partition = partition;
    this.#onReady = onReady;
    if (start.kind !== "snapshot") this.#point = start.point;
    this.#begunAt = this.#point.at;
    if (start.kind === "after") this.#readLog();
    else this.#fill(-1, true);
  }

  /** The place of the last that was taken. */
  get point(): LogPoint {
    return this.#point;
  }

  get isFilled(): boolean {
    return this.#filling?.isSnapshot !== true;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted || this.#log?.isClosed === true;
  }

  /** What comes next, if it is at hand; else it is sought, and `onReady` called when there is something. @throws what is no outage */
  take(): LatestItem | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.isClosed) return undefined;
    const item = this.#items.shift();
    if (item?.kind === "end") return this.#filled(item.point);
    if (item !== undefined) return this.#taken(item);
    if (this.#filling === undefined) return this.#fromLog();
    if (!this.#isAsking) void this.#ask();
    return undefined;
  }

  /** Whether the newest messages that are there now were begun again since this reader has begun. */
  isAnother(began: number): boolean {
    if (began === 0 || began === this.#began) return false;
    const isLost = this.#began === 0 ? this.#begunAt > 0 && began > this.#begunAt : true;
    this.#began = began;
    return isLost;
  }

  /** Idempotent. */
  close(): void {
    this.#stop.abort();
    this.#log?.close();
    this.#items = [];
  }

  #readLog(): void {
    this.#log = this.#feed.read({ after: this.#point }, this.#onReady);
  }

  #fromLog(): LatestItem | undefined {
    const item = this.#log?.take();
    if (item === undefined) return undefined;
    if (item.kind === "reset") return item;
    if (item.kind === "gap") return this.#fill(item.to, false);
    // Of a log of which nothing was known the first messages may be gone.
    if (item.from > this.#point.offset + 1) return this.#fill(item.from - 1, false, item);
    return this.#taken(item);
  }

  #fill(upTo: number, isSnapshot: boolean, behind?: LatestItem): LatestItem | undefined {
    const from = this.#point;
    // Whoever has seen nothing has nothing that was deleted.
    this.#filling = { upTo, at: 0, from, tombstones: from.offset > 0, isSnapshot, behind };
    return isSnapshot ? undefined : this.take();
  }

  #filled(point: LogPoint): LatestItem | undefined {
    const { isSnapshot, behind } = this.#filling!;
    this.#filling = undefined;
    this.#point = point;
    if (isSnapshot) {
      this.#readLog();
      return { kind: "filled" };
    }
    return behind === undefined ? this.take() : this.#taken(behind);
  }

  #taken(item: LatestItem): LatestItem {
    if (item.kind === "pack") this.#point = item.pack.point(item.pack.last);
    else if (item.kind === "deleted") this.#point = item.point;
    return item;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#insisting(() => this.#scan(this.#filling!));
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#isAsking = false;
    this.#onReady();
  }

  async #scan(filling: Filling): Promise<void> {
    const { from, upTo, tombstones } = filling;
    const answer = await this.#store.scan(this.#partition, {
      after: from.offset,
      // Its message must be the one that it was. What it reads from here on it has of this log.
      afterAt: upTo < 0 ? from.at : 0,
      upTo,
      tombstones,
      epoch: from.epoch,
      began: this.#began,
    });
    if (this.#stop.signal.aborted) return;
    if (answer.status === "reset") return void this.#items.push({ kind: "reset" });
    const { epoch, began, top, at, reached, rows } = answer;
    if (upTo < 0) [filling.upTo, filling.at] = [top, at];
    if (this.isAnother(began)) return void this.#items.push({ kind: "reset" });
    let before = from.at;
    for (const row of rows) {
      const item = itemOf(row, epoch, before);
      before = item.kind === "pack" ? item.pack.at : item.point.at;
      this.#items.push(item);
    }
    filling.from = { epoch, offset: reached, at: before };
    if (reached >= top) this.#items.push({ kind: "end", point: { epoch, offset: top, at: filling.at || before } });
  }

  /** Until it has come about; what is no outage is thrown. */
  async #insisting(task: () => Promise<void>): Promise<void> {
    const pause = new Pause(this.#feed.runtime, this.#stop.signal);
    while (!this.#stop.signal.aborted) {
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

/** @param before when what is in front of it was appended: a position from before a loss is known by its time, and of a tombstone that the log has lost nobody knows more */
function itemOf(row: Buffer, epoch: number, before: number): Extract<LatestItem, { kind: "pack" | "deleted" }> {
  const end = row.indexOf(LINE_END);
  const [offset, at, ...rest] = row.toString("latin1", 0, end).split(" ").map(Number);
  // A tombstone has its place, its time and its key.
  if (rest.length === 0)
    return {
      kind: "deleted",
      key: row.toString("utf8", end + 1),
      point: { epoch, offset: offset!, at: at! || before },
    };
  const pack = packOf(row);
  return { kind: "pack", pack, from: pack.first };
}
