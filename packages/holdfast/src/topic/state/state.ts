/** The state that a transactional subscription keeps beside its cursors, for whoever wants to read it. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../../base/options.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
import { Operations } from "../../core/observe/observe.ts";
import { OrderedStore } from "../ordered/store.ts";
import { partitionOf } from "../partition.ts";
import type { TopicSource } from "../source.ts";
import { checkName, StateCodec, wholeOf } from "./stored.ts";

/** In which partition: that of a message's key, or by its number. A topic of one partition needs neither. */
export interface TopicStatePlace {
  readonly key?: string;
  readonly partition?: number;
}

export interface TopicStatePageOptions {
  /** Of the page before. @default the beginning */
  readonly cursor?: string;
  /** About how many, 1 to 1,000. @default 100 */
  readonly limit?: number;
}

export interface TopicStateEntry {
  readonly partition: number;
  readonly name: string;
  readonly value: unknown;
}

export interface TopicStatePage {
  /** In no order. */
  readonly entries: readonly TopicStateEntry[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

const PLACE: OptionNames<TopicStatePlace> = { key: true, partition: true };
const PAGE: OptionNames<TopicStatePageOptions> = { cursor: true, limit: true };
const MAX_PAGE = 1_000;
const MAX_NAME_LENGTH = 256;
const CURSOR = /^(\d{1,4})\.(\d{1,20})$/;
const AS_BEFORE = -1;

/**
 * @example
 * const state = orders.state("totals");
 * await state.get<number>("orders:ada", { key: "ada" });
 * await state.sum("revenue");
 */
export class TopicState {
  readonly subscription: string;
  readonly #source: TopicSource<unknown>;
  readonly #store: OrderedStore;
  readonly #operations: Operations;

  constructor(source: TopicSource<unknown>, subscription: string) {
    this.subscription = checkText("name", subscription, MAX_NAME_LENGTH);
    this.#source = source;
    const terms = { topic: source.name, name: subscription, keepMs: AS_BEFORE, timeoutMs: source.settings.timeoutMs };
    this.#store = new OrderedStore(source.core, source.logs, terms);
    this.#operations = new Operations("topic", source.name);
  }

  /** Returns a value as of the last commit; undefined where there is none. Cost: HMGET. */
  get<V = unknown>(name: string, place?: TopicStatePlace): Promise<V | undefined> {
    return this.#operations.run("state.get", this.subscription, async () => {
      const partition = this.#partitionOf(givenOptions(place, PLACE));
      const [stored] = await this.#store.readState(partition, [checkName(name)]);
      return this.#codec(partition).decode(stored) as V | undefined;
    });
  }

  /**
   * Returns the sum of what all partitions have under a name: of what `increment` has counted, over all messages. Cost: HMGET per partition.
   * @throws InvalidArgumentError where a value is no whole number
   */
  sum(name: string): Promise<number> {
    return this.#operations.run("state.sum", this.subscription, async () => {
      checkName(name);
      const found = await Promise.all(
        this.#source.logs.map((_, partition) => this.#store.readState(partition, [name])),
      );
      return found.reduce((sum, [stored]) => {
        const whole = stored === undefined ? 0 : wholeOf(stored);
        if (whole === undefined) throw new InvalidArgumentError("name", "that of whole numbers", name);
        return sum + whole;
      }, 0);
    });
  }

  /** Returns a part of all that is there. What changes meanwhile may be missing, or come twice. Cost: HSCAN. */
  page(options?: TopicStatePageOptions): Promise<TopicStatePage> {
    return this.#operations.run("state.page", this.subscription, async () => {
      const { cursor, limit = 100 } = givenOptions(options, PAGE);
      const [partition, at] = this.#placeOf(cursor);
      const found = await this.#store.scanState(partition, at, wholeBetween("limit", limit, 1, MAX_PAGE));
      const codec = this.#codec(partition);
      const entries = found.entries.map(({ name, stored }) => ({ partition, name, value: codec.decode(stored) }));
      const next = found.next === "0" ? [partition + 1, "0"] : [partition, found.next];
      return { entries, cursor: next[0] === this.#source.logs.length ? undefined : next.join(".") };
    });
  }

  #codec(partition: number): StateCodec {
    return new StateCodec(this.#source.info, this.#store.stateKey(partition));
  }

  #partitionOf({ key, partition }: TopicStatePlace): number {
    const { partitions } = this.#source.settings;
    if (partition !== undefined) return wholeBetween("partition", partition, 0, partitions - 1);
    if (key !== undefined) return partitionOf(checkText("key", key, MAX_ID_LENGTH), partitions);
    if (partitions === 1) return 0;
    throw new InvalidArgumentError(
      "key",
      `given, or \`partition\`: the topic has ${partitions} partitions, each with a state of its own`,
      key,
    );
  }

  #placeOf(cursor: string | undefined): [partition: number, at: string] {
    if (cursor === undefined) return [0, "0"];
    const match = typeof cursor === "string" ? CURSOR.exec(cursor) : null;
    const partition = match === null ? Infinity : Number(match[1]);
    if (partition < this.#source.logs.length) return [partition, match![2]!];
    throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
  }
}
