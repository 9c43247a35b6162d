/** What is done to an ordered subscription from outside, whoever its members are: looked at, moved, removed. */
import { ServerClock } from "../../core/clock/server-clock.ts";
import { DeadLetterStore } from "../dead/store.ts";
import type { TopicSource } from "../source.ts";
import type { TopicLag, TopicPartitionLag, TopicSeek, TopicSeekOptions } from "../subscription.ts";
import { clearsState, destination, resolve } from "./beginning.ts";
import { OrderedStore } from "./store.ts";

export class OrderedControl<T> {
  readonly store: OrderedStore;
  readonly #source: TopicSource<T>;
  readonly #letters: DeadLetterStore;

  constructor(source: TopicSource<T>, name: string, keepMs: number) {
    this.#source = source;
    this.#letters = new DeadLetterStore(source, name);
    const terms = { topic: source.name, name, keepMs, timeoutMs: source.settings.timeoutMs };
    this.store = new OrderedStore(source.core, source.logs, terms);
  }

  async lag(): Promise<TopicLag> {
    const found = await Promise.all(this.#source.logs.map((_, partition) => this.#lagOf(partition)));
    const oldest = Math.min(...found.map(({ oldestAt }) => oldestAt));
    const now = oldest === Infinity ? undefined : await ServerClock.of(this.#source.core.driver).known();
    return {
      messages: found.reduce((sum, { lag }) => sum + lag.messages, 0),
      oldestAgeMs: now === undefined ? undefined : Math.max(0, Math.round(now - oldest)),
      partitions: found.map(({ lag }) => lag),
    };
  }

  async seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void> {
    const clears = clearsState(options);
    const { logs } = this.#source;
    const where = destination(to, logs.length);
    await Promise.all(
      logs.map(async (_, partition) => {
        const place = where(partition);
        if (place === undefined) return;
        const from = await resolve(this.#source, partition, place, "topic.subscription.seek");
        if ((await this.store.seek(partition, from, clears)) === "missing")
          await this.store.create(partition, from, false);
      }),
    );
  }

  /** With its dead letters. */
  async remove(): Promise<void> {
    await Promise.all(
      this.#source.logs.map((_, partition) =>
        Promise.all([this.store.remove(partition), this.#letters.clear(partition)]),
      ),
    );
  }

  async #lagOf(partition: number): Promise<{ readonly lag: TopicPartitionLag; readonly oldestAt: number }> {
    const log = this.#source.store(partition, "topic.subscription.lag");
    // The cursor first: what is committed meanwhile makes the lag too large, never negative.
    const [stored, redriven, tail] = await Promise.all([
      this.store.cursor(partition),
      this.#letters.redrivenCount(partition),
      log.tail(),
    ]);
    const isOfLog = stored !== undefined && stored.epoch === tail.epoch;
    const committed = isOfLog ? Math.min(stored.cursor, tail.head) : 0;
    const unread = tail.head - Math.max(committed, tail.first - 1);
    const [next] = unread > 0 ? await log.range(committed + 1, 1) : [];
    const messages = unread + redriven;
    return { lag: { partition, committed, head: tail.head, messages }, oldestAt: next?.at ?? Infinity };
  }
}
