/**
 * A topic that keeps the newest message of each key: a table that everybody can follow.
 *
 * What it promises besides what a topic does: a message and the change of its key are one step. Whoever follows it gets each key's newest message
 * once, a word that this was all, and then each change, in order: nothing is missing in between, and no key goes back. A key that is deleted is
 * deleted for all of them. Where the server has lost what it had they are told to begin again.
 *
 * While the server is away: calls wait for it until their deadline and then reject; followers wait and go on where they were.
 */
import { listOf } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
import { Operations } from "../../core/observe/observe.ts";
import { TOMBSTONE, type TopicMessage } from "../message.ts";
import type { TopicOptions } from "../options.ts";
import { partitionOf } from "../partition.ts";
import type { Publisher } from "../publish/publisher.ts";
import type { TopicSource } from "../source.ts";
import { Topic } from "../topic.ts";
import { follow, type TopicChange } from "./follow.ts";
import {
  deletingOf,
  followingOf,
  settingOf,
  type TopicDeleteOptions,
  type TopicDeleteResult,
  type TopicFollowOptions,
  type TopicSetOptions,
  type TopicSetResult,
} from "./options.ts";
import { packOf } from "./record.ts";
import { LatestStore } from "./store.ts";
import { LatestWatch } from "./watch.ts";

const NOTHING = Buffer.alloc(0);
/** Of one HMGET. */
const MANY = 256;

/**
 * @example
 * const prices = hf.topic<Price>("prices", { latest: true });
 * await prices.set("EUR", price);
 * for await (const change of prices.follow()) if (change.type === "set") show(change.key, change.value);
 */
export class LatestTopic<T> extends Topic<T | undefined> {
  readonly #operations: Operations;
  readonly #source: TopicSource<T>;
  readonly #publisher: Publisher<T>;
  readonly #watch: LatestWatch;

  constructor(core: Core, name: string, options: TopicOptions<T>) {
    super(core, name, options);
    this.#operations = new Operations("topic", name);
    this.#source = Topic.sourceOf(this) as TopicSource<T>;
    this.#publisher = Topic.publisherOf(this) as unknown as Publisher<T>;
    this.#watch = new LatestWatch(this.#source);
  }

  /**
   * Publishes `value` as the newest message of `key`. A lost answer is repeated: the message is there once all the same.
   * Cost: as `publish`, and for each message of the script a field and a member more.
   * @throws CodecError when the value does not match the schema or cannot be encoded
   * @throws OutcomeUnknownError when no answer came by the deadline: set it again with the same `id`
   */
  set(key: string, value: T, options?: TopicSetOptions): Promise<TopicSetResult> {
    return this.#operations.runAtOnce("set", key, () => {
      const { expected, id, headers } = settingOf(key, options);
      const partition = this.#partitionOf(key);
      const payload = this.#source.codec.encode(value, { aad: this.#source.logs[partition]!.key });
      // There is always something to set.
      return this.#publisher.append(partition, { payload, key, id, headers, expected }) as Promise<TopicSetResult>;
    });
  }

  /**
   * Deletes `key`: its newest message is a tombstone from then on, which readers see as any other.
   * Cost: as `set`.
   * @throws OutcomeUnknownError when no answer came by the deadline: delete it again
   */
  delete(key: string, options?: TopicDeleteOptions): Promise<TopicDeleteResult> {
    return this.#operations.runAtOnce("delete", key, () => {
      const { expected, id, headers } = deletingOf(key, options);
      return this.#publisher.append(this.#partitionOf(key), {
        payload: NOTHING,
        mark: TOMBSTONE,
        key,
        id,
        headers,
        expected,
      });
    });
  }

  /**
   * Returns the newest message of `key`; undefined where there is none. Its `position` is what `ifPosition` takes.
   * Cost: HMGET.
   * @throws CodecError when it cannot be decoded
   */
  get(key: string): Promise<TopicMessage<T> | undefined> {
    return this.#operations.run("get", key, async () => {
      const partition = this.#partitionOf(key);
      const [record] = await this.#store("get").records(partition, [key]);
      return this.#read(partition, record ?? null);
    });
  }

  /**
   * Returns the newest messages of those keys that are there.
   * Cost: HMGET per partition and 256 keys.
   * @throws CodecError when one cannot be decoded
   */
  getMany(keys: Iterable<string>): Promise<Map<string, TopicMessage<T>>> {
    return this.#operations.run("getMany", undefined, async () => {
      const asked = [...new Set(listOf("keys", keys, "texts"))];
      const parts = new Map<number, string[][]>();
      for (const key of asked) {
        const partition = this.#partitionOf(key);
        const chunks = parts.get(partition) ?? [];
        if (chunks.length === 0 || chunks.at(-1)!.length >= MANY) chunks.push([]);
        chunks.at(-1)!.push(key);
        parts.set(partition, chunks);
      }
      const found = new Map<string, TopicMessage<T>>();
      const reading = [...parts].flatMap(([partition, chunks]) =>
        chunks.map(async (chunk) => {
          const records = await this.#store("getMany").records(partition, chunk);
          for (const [at, record] of records.entries()) {
            const message = this.#read(partition, record);
            if (message !== undefined) found.set(chunk[at]!, message);
          }
        }),
      );
      await Promise.all(reading);
      return new Map(asked.flatMap((key) => (found.has(key) ? [[key, found.get(key)!]] : [])));
    });
  }

  /** Returns how many keys there are. Cost: ZCARD per partition. */
  count(): Promise<number> {
    return this.#operations.run("count", undefined, async () => {
      const store = this.#store("count");
      const counts = await Promise.all(this.#source.logs.map((_, partition) => store.count(partition)));
      return counts.reduce((sum, each) => sum + each, 0);
    });
  }

  /**
   * Returns the changes of the keys, for `for await`: first the newest message of each key, then `live`, then what comes, without an end. What was
   * not read in time and is not kept by the log any more comes as each key's newest. Begins with the first `next()`; `break`, the signal and the end
   * of the handle end it.
   * Cost: one script per 512 keys or 64 KB; then as `messages()`, and a script per partition every 10 seconds for all that follow.
   */
  follow(options?: TopicFollowOptions): AsyncGenerator<TopicChange<T>, void, undefined> {
    const { label, settings } = this.#source;
    return follow(this.#source, this.#watch, followingOf(label, settings.partitions, options));
  }

  #partitionOf(key: string): number {
    return partitionOf(checkText("key", key, MAX_ID_LENGTH), this.#source.settings.partitions);
  }

  #store(verb: string): LatestStore {
    return new LatestStore(this.#source, `topic.${verb}`);
  }

  #read(partition: number, record: Buffer | null): TopicMessage<T> | undefined {
    if (record === null) return undefined;
    const pack = packOf(record);
    return this.#source.decode(pack, pack.first, partition);
  }
}
