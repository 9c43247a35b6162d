/**
 * Tells the server how far a partition is finished: every 100 ms, or 500 messages, one commit at a time.
 *
 * Every commit names the fence and the cursor that this process believes in, so one of a process that has slept through the end of its
 * lease changes nothing. A commit whose answer was lost is repeated as it was, until it is known what became of it.
 */
import type { Runtime, Timer } from "../../base/runtime.ts";
import { Pause } from "../../core/retry/pause.ts";
import type { StateWrites } from "../state/partition-state.ts";
import type { Share } from "./share.ts";
import type { Commit, OrderedStore } from "./store.ts";

const COMMIT_MS = 100;
const COMMIT_MESSAGES = 500;
/** No log's epoch. */
const NONE = -1;
const NOTHING: StateWrites = { sets: [], deletes: [], names: 0 };

export interface CommitsParts {
  readonly runtime: Runtime;
  readonly store: OrderedStore;
  readonly share: Share;
  readonly onRefused: (status: "stale" | "lost") => void;
  /** The lease decides for how long it is tried again. */
  readonly onFault: (error: unknown) => void;
}

export class Commits {
  /** Of the log that is read. */
  epoch: number;
  readonly #parts: CommitsParts;
  #cursor: number;
  #number = 0;
  #committedEpoch: number;
  #timer: Timer | undefined;
  #committing: Promise<void> | undefined;
  /** Sent, and not known to have been refused or done. */
  #doubtful: Commit | undefined;

  /** @param lost the server is to forget that it had lost the cursor: by a commit, whatever there is to commit */
  constructor(parts: CommitsParts, epoch: number, lost: boolean) {
    this.#parts = parts;
    this.epoch = epoch;
    this.#cursor = parts.share.window.passed;
    this.#committedEpoch = lost ? NONE : epoch;
  }

  /** Something is finished, or was moved. */
  finished(): void {
    const { share } = this.#parts;
    // Nothing is committed any more, so a commit would be over at once and begin the next one, without end.
    if (share.isOver) return;
    const { passed, size } = share.window;
    // With half of a small window: what is not committed takes the room of what is read next.
    if (passed - this.#cursor >= Math.min(COMMIT_MESSAGES, Math.ceil(size / 2))) void this.#commit();
    else this.#commitSoon();
  }

  /** What is finished, now. Never rejects. */
  async flush(): Promise<void> {
    this.stop();
    await this.#committing;
    await this.#commit();
    // What was sent first may have been a commit in doubt.
    if (this.#doubtful === undefined) await this.#commit();
  }

  /** Resolves when the server knows that all up to this offset are finished, as they are here; or the partition is lost. */
  async reach(offset: number): Promise<void> {
    const { runtime, share } = this.#parts;
    const pause = new Pause(runtime, share.signal);
    const isBehind = (): boolean =>
      !share.isOver && (share.window.committed < Math.min(offset, share.window.passed) || share.state?.isFull === true);
    while (isBehind()) {
      await this.#commit();
      if (isBehind()) await pause.next();
    }
  }

  stop(): void {
    this.#parts.runtime.clearTimeout(this.#timer);
  }

  get #isBehind(): boolean {
    const { share } = this.#parts;
    const hasMoved = share.window.passed !== this.#cursor || this.epoch !== this.#committedEpoch;
    return hasMoved || share.haveFailuresChanged || share.hasHandledLetters || share.state?.hasWrites === true;
  }

  #commitSoon(): void {
    const { share, runtime } = this.#parts;
    if (share.isStopped) return;
    this.#timer ??= runtime.setTimeout(() => {
      this.#timer = undefined;
      void this.#commit();
    }, COMMIT_MS);
  }

  #commit(): Promise<void> {
    // What has nothing to do is over before it is assigned, so the end is set behind it.
    this.#committing ??= this.#commitOnce().finally(() => {
      this.#committing = undefined;
      if (this.#doubtful !== undefined) this.#commitSoon();
      else if (this.#isBehind) this.finished();
    });
    return this.#committing;
  }

  async #commitOnce(): Promise<void> {
    const { share, store, onRefused, onFault } = this.#parts;
    try {
      if (share.isOver || (this.#doubtful === undefined && !this.#isBehind)) return;
      const commit = (this.#doubtful ??= this.#next());
      const status = await store.commit(share.partition, commit);
      this.#doubtful = undefined;
      if (status !== "ok") return onRefused(status);
      this.#cursor = commit.cursor;
      if (commit.epoch === this.epoch) share.committed(commit.cursor);
      this.#committedEpoch = commit.epoch;
      share.state?.committed();
    } catch (error) {
      onFault(error);
    }
  }

  #next(): Commit {
    const { share } = this.#parts;
    const { window } = share;
    this.#number += 1;
    return {
      fence: share.fence,
      number: this.#number,
      expected: this.#cursor,
      cursor: window.passed,
      epoch: this.epoch,
      at: window.passedAt(),
      tries: share.tries(),
      letters: share.takeHandledLetters().flatMap(({ name, place }) => [name, place]),
      writes: share.state?.take() ?? NOTHING,
    };
  }
}
