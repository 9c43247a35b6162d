/** Messages that a subscription has given up: looked at, delivered again, or removed. */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../../base/options.ts";
import { sleep } from "../../base/runtime.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import { Operations } from "../../core/observe/observe.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicSource } from "../source.ts";
import { wakeKeyOf } from "../keys.ts";
import { Registry, registryKeys } from "../subscriptions/registry.ts";
import type { TopicDeadReason } from "./record.ts";
import { DeadLetterStore, SCORES_PER_MS, type StoredLetter } from "./store.ts";

export interface TopicDeadLetter<T> {
  readonly id: string;
  /** Undefined where it cannot be decoded. */
  readonly message: TopicMessage<T> | undefined;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Where its message stands, or stood, in the topic. */
  readonly partition: number;
  readonly offset: number;
  readonly publishedAt: number;
  /** When it was given up: milliseconds since 1970 by the server's clock. */
  readonly at: number;
  readonly deliveries: number;
  /** Its deliveries were used up, its handler has rejected it, or it cannot be decoded. */
  readonly reason: TopicDeadReason;
  /** The last error, or the reason of the rejection. */
  readonly error: string;
}

export interface TopicDeadPageOptions {
  /** Of the page before. @default the oldest */
  readonly cursor?: string;
  /** @default 50 */
  readonly limit?: number;
}

export interface TopicDeadPage<T> {
  readonly letters: readonly TopicDeadLetter<T>[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export interface TopicRedriveOptions<T> {
  /** Those for which it returns true. @default all */
  readonly where?: (letter: TopicDeadLetter<T>) => boolean;
  /** At most so many. @default all that are dead when it begins */
  readonly limit?: number;
  /** At most so many a second. @default no limit */
  readonly rate?: number;
}

const PAGE_OPTIONS: OptionNames<TopicDeadPageOptions> = { cursor: true, limit: true };
const REDRIVE_OPTIONS: OptionNames<TopicRedriveOptions<unknown>> = { where: true, limit: true, rate: true };
const MAX_PAGE = 1_000;
const MAX_NAME_LENGTH = 256;
const CHUNK = 100;
const CURSOR = /^(\d{1,16})\.(\d{1,4})$/;
const ID = /^(\d{1,4})\.([\da-z]{1,11}\.\d{1,16})$/;

/** Behind this letter a page begins; letters of several partitions may have died at the same time. */
interface Place {
  readonly score: number;
  readonly partition: number;
}

const FIRST: Place = { score: 0, partition: -1 };

/**
 * @example
 * const { letters } = await orders.dead("billing").page({ limit: 20 });
 * await orders.dead("billing").redrive({ where: ({ error }) => error.includes("timeout"), rate: 50 });
 */
export class TopicDeadLetters<T> {
  readonly subscription: string;
  readonly #source: TopicSource<T>;
  readonly #store: DeadLetterStore;
  readonly #operations: Operations;

  constructor(source: TopicSource<T>, subscription: string) {
    checkText("name", subscription, MAX_NAME_LENGTH);
    this.subscription = subscription;
    this.#source = source;
    this.#store = new DeadLetterStore(source, subscription);
    this.#operations = new Operations("topic", source.name);
  }

  /** Returns how many there are. Cost: ZCARD per partition. */
  count(): Promise<number> {
    return this.#operations.run("dead.count", this.subscription, async () => {
      const counts = await Promise.all(this.#source.logs.map((_, partition) => this.#store.count(partition)));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  /** Returns dead letters, those that died first in front. Cost: one script per partition. */
  page(options?: TopicDeadPageOptions): Promise<TopicDeadPage<T>> {
    return this.#operations.run("dead.page", this.subscription, async () => {
      const { cursor, limit = 50 } = givenOptions(options, PAGE_OPTIONS);
      const found = await this.#behind(placeOf(cursor), wholeBetween("limit", limit, 1, MAX_PAGE));
      const last = found.length < limit ? undefined : found.at(-1);
      const next = last === undefined ? undefined : `${last.score}.${last.partition}`;
      return { letters: found.map((letter) => this.#shown(letter)), cursor: next };
    });
  }

  /**
   * Delivers dead letters again: to this subscription alone, with all their deliveries, and no matter what the topic still keeps. Returns how many. Idempotent:
   * what was put back already is not dead. Those of one call are put back in the order in which they died. An ordered subscription handles them in this order by
   * key, behind what it has read of that key, and before what it reads later.
   * Cost: HGET; one script per page of 100 and partition to find them, and as many to put them back.
   */
  redrive(which?: Iterable<string> | TopicRedriveOptions<T>): Promise<number> {
    return this.#operations.run("dead.redrive", this.subscription, async () => {
      const wake = await this.#wake();
      if (isIterable(which))
        return this.#each(which, (partition, names) => this.#store.redrive(partition, names, wake));
      const { where, limit = Infinity, rate } = givenOptions(which, REDRIVE_OPTIONS);
      if (where !== undefined && typeof where !== "function")
        throw new InvalidArgumentError("where", "a function of a letter", where);
      if (limit !== Infinity) wholeBetween("limit", limit, 1, Number.MAX_SAFE_INTEGER);
      if (rate !== undefined && !(typeof rate === "number" && rate > 0 && Number.isFinite(rate)))
        throw new InvalidArgumentError("rate", "a number of letters a second, above 0", rate);
      return this.#redriveWhere(wake, where ?? (() => true), limit, rate);
    });
  }

  /** Forgets these; returns how many of them were dead. Cost: one script per partition. */
  remove(ids: Iterable<string>): Promise<number> {
    return this.#operations.run("dead.remove", this.subscription, async () =>
      this.#each(ids, (partition, names) => this.#store.remove(partition, names)),
    );
  }

  /** What wakes its members. */
  async #wake(): Promise<string> {
    const { core, name, settings } = this.#source;
    const kind = await new Registry(core, name, settings.timeoutMs).find(this.subscription);
    return kind === "ordered"
      ? registryKeys(core, name, this.subscription).members
      : wakeKeyOf(core, name, this.subscription);
  }

  async #redriveWhere(
    wake: string,
    where: (letter: TopicDeadLetter<T>) => boolean,
    limit: number,
    rate: number | undefined,
  ): Promise<number> {
    const { runtime } = this.#source.core.driver;
    const chunk = rate === undefined ? CHUNK : Math.min(CHUNK, Math.max(1, Math.ceil(rate / 10)));
    let total = await this.count();
    let redriven = 0;
    for (let place = FIRST; total > 0 && redriven < limit;) {
      const found = await this.#behind(place, Math.min(CHUNK, total));
      if (found.length === 0) break;
      total -= found.length;
      place = found.at(-1)!;
      const wanted = found.filter((letter) => where(this.#shown(letter))).slice(0, limit - redriven);
      for (let at = 0; at < wanted.length; at += chunk) {
        const part = wanted.slice(at, at + chunk);
        redriven += await this.#each(part.map(idOf), (partition, names) => this.#store.redrive(partition, names, wake));
        if (rate !== undefined) await sleep(runtime, (part.length * 1_000) / rate);
      }
    }
    return redriven;
  }

  /** Over all partitions, in the order in which they died. */
  async #behind({ score, partition: last }: Place, limit: number): Promise<StoredLetter[]> {
    const pages = await Promise.all(
      // Of those that died at the same time the ones of the partitions so far have been there.
      this.#source.logs.map((_, at) => this.#store.page(at, at <= last ? score : score - 1, limit)),
    );
    return pages
      .flat()
      .toSorted((a, b) => a.score - b.score || a.partition - b.partition)
      .slice(0, limit);
  }

  #shown(letter: StoredLetter): TopicDeadLetter<T> {
    const { head, pack, partition, score } = letter;
    const offset = pack.first;
    const { key, headers } = pack.frame(offset);
    const at = Math.floor(score / SCORES_PER_MS);
    return { id: idOf(letter), message: this.#message(letter), key, headers, partition, offset, at, ...head };
  }

  #message({ pack, partition }: StoredLetter): TopicMessage<T> | undefined {
    try {
      return this.#source.decode(pack, pack.first, partition);
    } catch (error) {
      if (error instanceof CodecError) return undefined;
      throw error;
    }
  }

  async #each(
    ids: Iterable<string>,
    act: (partition: number, names: readonly string[]) => Promise<number>,
  ): Promise<number> {
    const byPartition = new Map<number, string[]>();
    for (const id of listOf("ids", ids, "ids of dead letters")) {
      const match = typeof id === "string" ? ID.exec(id) : null;
      const partition = match === null ? Infinity : Number(match[1]);
      if (partition >= this.#store.partitions) throw new InvalidArgumentError("ids", "ids of dead letters", id);
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), match![2]!]);
    }
    const counts = await Promise.all([...byPartition].map(([partition, names]) => act(partition, names)));
    return counts.reduce((sum, count) => sum + count, 0);
  }
}

function idOf({ partition, name }: StoredLetter): string {
  return `${partition}.${name}`;
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return FIRST;
  const match = typeof cursor === "string" ? CURSOR.exec(cursor) : null;
  if (match === null) throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
  return { score: Number(match[1]), partition: Number(match[2]) };
}

function isIterable(given: unknown): given is Iterable<string> {
  return typeof given === "string" || (typeof given === "object" && given !== null && Symbol.iterator in given);
}
