/** Whether the newest messages are still there, for all who follow a topic: one question per partition at a time, and only while somebody follows. */
import type { Timer } from "../../base/runtime.ts";
import type { TopicSource } from "../source.ts";
import { LatestStore } from "./store.ts";

/** A key of theirs that was evicted is noticed by the next message, the next new reader, or after so long. */
const WATCH_MS = 10_000;

/** Told since when they are known: another number than before where they were lost. */
export type LatestWatcher = (partition: number, began: number) => void;

export class LatestWatch {
  readonly #source: TopicSource<unknown>;
  readonly #store: LatestStore;
  readonly #watchers = new Set<LatestWatcher>();
  #timer: Timer | undefined;
  #isAsking = false;

  constructor(source: TopicSource<unknown>) {
    this.#source = source;
    this.#store = new LatestStore(source, "topic.follow");
  }

  /** Returns the function that ends it. */
  watch(watcher: LatestWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.#timer === undefined) {
      this.#timer = this.#source.core.driver.runtime.setInterval(this.#look, WATCH_MS);
      this.#timer.unref();
    }
    this.#look();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#source.core.driver.runtime.clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  readonly #look = (): void => {
    if (!this.#isAsking) void this.#askAll();
  };

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    await Promise.all(this.#source.logs.map((_, partition) => this.#ask(partition)));
    this.#isAsking = false;
  }

  async #ask(partition: number): Promise<void> {
    try {
      const began = await this.#store.began(partition);
      for (const watcher of this.#watchers) watcher(partition, began);
    } catch {
      // Asked again later; what is wrong for good the readers say themselves.
    }
  }
}
