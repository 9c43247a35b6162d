/** A shared subscription as it is seen from outside of its members: how far it is behind, moved, removed. */
import { runScript } from "../../core/script/run.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { clearsState, destination, resolve } from "../ordered/beginning.ts";
import { subscriptionKeys } from "../keys.ts";
import { sharedLag } from "../scripts.gen.ts";
import type { TopicSource } from "../source.ts";
import type { TopicLag, TopicPartitionLag, TopicSeek, TopicSeekOptions } from "../subscription.ts";
import type { SharedSettings } from "./options.ts";
import { SharedStore } from "./store.ts";

export class SharedControl {
  readonly #source: TopicSource<unknown>;
  readonly #name: string;
  readonly #expiresMs: number;

  /** @param expiresMs how long it outlives its last use; 0: for ever; below: as long as before */
  constructor(source: TopicSource<unknown>, name: string, expiresMs: number) {
    this.#source = source;
    this.#name = name;
    this.#expiresMs = expiresMs;
  }

  /** Of this consumer alone, where it claims. @param consumer a text of fixed length */
  store(partition: number, consumer: string): SharedStore {
    const { core, name: topic, logs, settings } = this.#source;
    return new SharedStore({
      core,
      topic,
      subscription: this.#name,
      log: logs[partition]!,
      consumer,
      timeoutMs: settings.timeoutMs,
      expiresMs: this.#expiresMs,
    });
  }

  async seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void> {
    if (clearsState(options))
      throw new InvalidArgumentError("state", '"keep": a shared subscription has no state', "clear");
    const of = destination(to, this.#source.logs.length);
    const places = await Promise.all(
      this.#source.logs.map(async (_, partition) => {
        const place = of(partition);
        return place === undefined ? undefined : before(await resolve(this.#source, partition, place, "topic.seek"));
      }),
    );
    const moves = places.map(async (place, at) => (place === undefined ? undefined : this.store(at, "-").seek(place)));
    await Promise.all(moves);
  }

  /** Where a new subscription begins: the offset before, or `END`. */
  async beginning(partition: number, start: SharedSettings["start"]): Promise<number> {
    return before(await resolve(this.#source, partition, start, "topic.subscribe"));
  }

  async lag(): Promise<TopicLag> {
    const each = await Promise.all(this.#source.logs.map((_, partition) => this.#lag(partition)));
    const ages = each.flatMap(({ ageMs }) => (ageMs === undefined ? [] : [ageMs]));
    return {
      messages: each.reduce((sum, { lag }) => sum + lag.messages, 0),
      oldestAgeMs: ages.length === 0 ? undefined : Math.max(...ages),
      partitions: each.map(({ lag }) => lag),
    };
  }

  /** With its dead letters. */
  async remove(): Promise<void> {
    const { core, name, logs, settings } = this.#source;
    const call = {
      op: "topic.subscriptions.remove",
      class: "idempotent",
      key: name,
      timeoutMs: settings.timeoutMs,
    } as const;
    await Promise.all(
      logs.map(async (log) => {
        const { state, dead, records, redriven } = subscriptionKeys(log, this.#name);
        await core.driver.send(["HDEL", log.cursors, this.#name], call, log.cursors);
        await core.driver.send(["UNLINK", state, dead, records, redriven], call, state);
      }),
    );
  }

  /** Of one that is not there in this partition yet: nothing. */
  async #lag(partition: number): Promise<{ readonly lag: TopicPartitionLag; readonly ageMs: number | undefined }> {
    const { core, name, logs, settings } = this.#source;
    const log = logs[partition]!;
    const { state } = subscriptionKeys(log, this.#name);
    const call = { op: "topic.lag", key: name, timeoutMs: settings.timeoutMs };
    const found = await runScript(core.driver, sharedLag, { meta: log.meta, log: log.log, state }, {}, call);
    const { head, now } = found;
    if (found.status === "missing") return { lag: { partition, committed: head, head, messages: 0 }, ageMs: undefined };
    const { frontier, pending, lowest } = found;
    const messages = Math.max(head - frontier, 0) + pending;
    const oldest = lowest === 0 ? frontier + 1 : lowest;
    const lag = { partition, committed: oldest - 1, head, messages };
    if (messages === 0 || oldest > head) return { lag, ageMs: undefined };
    const [pack] = await this.#source.store(partition, "topic.lag").range(oldest, 1);
    return { lag, ageMs: pack === undefined ? undefined : Math.max(0, now - pack.at) };
  }
}

/** In the place of an offset: the end, wherever that is when it is reached. */
const END = -1;

function before(place: Awaited<ReturnType<typeof resolve>>): number {
  return place === "end" ? END : place.cursor;
}
