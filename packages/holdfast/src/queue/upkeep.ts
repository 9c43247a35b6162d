/** What a worker does for its queue beside its own jobs: it takes back those of workers that died, and finds those that others have left. */
import type { Runtime } from "../base/runtime.ts";
import type { Post } from "./flows/post.ts";
import type { Tally } from "./overview/tally.ts";
import { warnUnlessOutage } from "./patience.ts";
import type { QueueStore } from "./store.ts";
import { DEATHS } from "./workers/deaths.ts";
import type { WorkerStore } from "./worker-store.ts";

/** How often a worker says that it has a handler for deaths. */
const REPORT_MS = 60_000;

export interface UpkeepParts {
  readonly runtime: Runtime;
  readonly queue: QueueStore;
  readonly post: Post;
  readonly store: WorkerStore;
  readonly tally: Tally;
  /** Names that it has handlers for; undefined: for all. */
  readonly names: readonly string[] | undefined;
  /** Where it has a handler for jobs that are dead: lets the server report them. */
  readonly reportDeaths: (() => Promise<void>) | undefined;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  #reportAt = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  get isReportDue(): boolean {
    const { reportDeaths, runtime } = this.#parts;
    return reportDeaths !== undefined && this.#reportAt <= runtime.now();
  }

  /** Before anything is claimed; and again, should the server have lost it. */
  async letDeathsBeReported(): Promise<void> {
    const { reportDeaths, runtime } = this.#parts;
    const now = runtime.now();
    try {
      await reportDeaths?.();
      this.#reportAt = now + REPORT_MS;
    } catch (error) {
      if (this.#reportAt === 0) throw error;
      warnUnlessOutage(error);
    }
  }

  /** Whether jobs wait again that no worker has known, and this one does. */
  async readmit(most: number): Promise<boolean> {
    const { store, names, reportDeaths } = this.#parts;
    try {
      return most > 0 && (await store.readmit(names, most, reportDeaths && [DEATHS])) > 0;
    } catch (error) {
      // Where the answer was lost they wait in their lanes; else the next call does it.
      warnUnlessOutage(error);
      return false;
    }
  }

  /** Returns how many jobs of a dead worker wait again. */
  async recover(worker: string): Promise<number> {
    const { store, queue, post, tally } = this.#parts;
    if (worker === store.keys.worker) return 0;
    try {
      const { recovered, buried } = await queue.recover(worker);
      if (buried.length > 0) post.kick();
      tally.recovered(recovered, buried.length);
      return recovered;
    } catch (error) {
      // Another worker, or the next call of this one, will.
      warnUnlessOutage(error);
      return 0;
    }
  }
}
