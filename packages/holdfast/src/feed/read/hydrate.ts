/** From ids to entries. What is gone, deleted or cannot be read is left out. */
import { isOutage } from "../../base/errors.ts";
import type { Codec } from "../../core/codec/codec.ts";
import type { Reports } from "../../core/observe/reports.ts";
import { atOf, decodeItem, isGroup, type Item, type Place, positionOf } from "../entry.ts";
import type { FeedStore, GroupRow } from "../store.ts";
import type { Marks } from "./marks.ts";

/** Several activities that are shown as one. */
export interface FeedGroup {
  /** How many activities there are, those included that are not kept any more. */
  readonly count: number;
  /** Of the newest, up to 5, the last one first. */
  readonly authors: string[];
}

export interface FeedEntry<T> {
  /** Of the activity; of a group, of its newest one. */
  readonly id: string;
  readonly author: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly activity: T;
  /** Undefined for an activity that is shown alone. */
  readonly group: FeedGroup | undefined;
  readonly seen: boolean;
  readonly read: boolean;
  /** For `markSeen` and `markRead`, and a cursor: pages go on behind this entry. */
  readonly position: string;
}

export interface Hydrated<T> {
  readonly entry: FeedEntry<T>;
  /** What it is grouped by as it is read. */
  readonly group: string | undefined;
}

/** `unreadable`: it is there, and another process may be able to read it, such as one of a newer version. */
export type Missing = "gone" | "unreadable";

const MAX_AUTHORS = 5;

export class Hydrator<T> {
  readonly #store: FeedStore;
  readonly #codec: Codec<T>;
  readonly #reports: Reports<never, string>;

  constructor(store: FeedStore, codec: Codec<T>, reports: Reports<never, string>) {
    this.#store = store;
    this.#codec = codec;
    this.#reports = reports;
  }

  /** Undefined where it is gone, or cannot be read. */
  async item(id: string): Promise<Item<T> | undefined> {
    const item = await this.#item(id);
    return typeof item === "string" ? undefined : item;
  }

  async #item(id: string): Promise<Item<T> | Missing> {
    const bytes = await this.#store.item(id);
    if (bytes === undefined) return "gone";
    try {
      return decodeItem(id, bytes, this.#codec);
    } catch (error) {
      if (isOutage(error)) throw error;
      this.#reports.error(error, id);
      return "unreadable";
    }
  }

  /** One for each place. */
  async entries(reader: string, places: readonly Place[], marks: Marks): Promise<(Hydrated<T> | Missing)[]> {
    const groups = await this.#groups(
      reader,
      places.filter(({ id }) => isGroup(id)).map(({ id }) => id),
    );
    return Promise.all(
      places.map(async (place) => {
        const row = groups.get(place.id);
        const items = await Promise.all((row?.ids ?? [place.id]).map((id) => this.#item(id)));
        const found = items.filter((item) => typeof item !== "string");
        if (found.length > 0) return hydrated(place, found, row, marks);
        return items.includes("unreadable") ? "unreadable" : "gone";
      }),
    );
  }

  async #groups(reader: string, members: readonly string[]): Promise<Map<string, GroupRow>> {
    if (members.length === 0) return new Map();
    const rows = await this.#store.groups(reader, members);
    return new Map(members.map((member, at) => [member, rows[at]!]));
  }
}

function hydrated<T>(place: Place, items: readonly Item<T>[], row: GroupRow | undefined, marks: Marks): Hydrated<T> {
  const { id, author, activity, score, group } = items[0]!;
  const authors = authorsOf(items);
  const entry = {
    id,
    author,
    at: atOf({ id, score }),
    activity,
    group: row === undefined ? undefined : { count: row.count, authors },
    seen: marks.isSeen(place),
    read: marks.isRead(place),
    position: positionOf(place),
  };
  return { entry, group: row === undefined ? group : undefined };
}

export function authorsOf(items: readonly { readonly author: string }[]): string[] {
  return [...new Set(items.map(({ author }) => author))].slice(0, MAX_AUTHORS);
}
