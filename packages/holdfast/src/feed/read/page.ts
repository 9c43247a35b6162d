/** Pages of a feed. */
import { InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../../base/options.ts";
import { type Place, placeOf, positionOf } from "../entry.ts";
import type { Graph } from "../graph/graph.ts";
import { authorsOf, type FeedEntry, type Hydrated, type Hydrator } from "./hydrate.ts";
import { Marks } from "./marks.ts";
import { type Candidate, newest } from "./merge.ts";
import { Timeline, type TimelineParts } from "./timeline.ts";

export interface FeedPageOptions {
  /** Entries, 1 to 100. @default 20 */
  readonly limit?: number;
  /** Of the page before, or the `position` of an entry. @default from the newest on */
  readonly cursor?: string;
}

export interface FeedReadOptions extends FeedPageOptions {
  /** Whether entries of one `group` on this page are shown as one. @default false */
  readonly grouped?: boolean;
}

export interface FeedPage<T> {
  /** The newest first. */
  readonly entries: FeedEntry<T>[];
  /** Of the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

const PAGE_NAMES: OptionNames<FeedReadOptions> = { limit: true, cursor: true, grouped: true };
const OUTBOX_NAMES: OptionNames<FeedPageOptions> = { limit: true, cursor: true };
const MAX_LIMIT = 100;
/** Of a page on which much is gone, or grouped: then it is shorter, and has a cursor all the same. */
const MAX_ROUNDS = 8;
/** Some may be gone. */
const SPARE = 4;

interface Wanted {
  readonly limit: number;
  readonly place: Place | undefined;
  readonly isGrouped: boolean;
}

/** What is left out, and why. */
interface Left {
  readonly gone: string[];
  /** By author; also what is from before that which is shown of one who is followed. */
  readonly unfollowed: Map<string, string[]>;
}

export class Pages<T> {
  readonly #parts: TimelineParts;
  readonly #graph: Graph;
  readonly #hydrator: Hydrator<T>;

  constructor(parts: TimelineParts, graph: Graph, hydrator: Hydrator<T>) {
    this.#parts = parts;
    this.#graph = graph;
    this.#hydrator = hydrator;
  }

  async page(reader: string, options: FeedReadOptions | undefined): Promise<FeedPage<T>> {
    const { grouped = false, ...paging } = givenOptions(options, PAGE_NAMES);
    if (typeof grouped !== "boolean") throw new InvalidArgumentError("grouped", "true or false", grouped);
    const wanted = { ...wantedOf(paging), isGrouped: grouped };
    const timeline = await this.#open(reader);
    const left: Left = { gone: [], unfollowed: new Map() };
    const page = await this.#collect(
      wanted,
      (place, most) => timeline.next(place, most),
      (candidates) => this.#visible(timeline, candidates, left),
    );
    await this.#sweep(timeline, left);
    return page;
  }

  outbox(author: string, options: FeedPageOptions | undefined): Promise<FeedPage<T>> {
    const wanted = { ...wantedOf(givenOptions(options, OUTBOX_NAMES)), isGrouped: false };
    const { store } = this.#parts;
    const source = { key: store.part(author, "outbox"), from: 0, isNamed: false };
    return this.#collect(
      wanted,
      (place, most) => newest(store, [source], place, most),
      async (candidates) =>
        (await this.#hydrator.entries(author, candidates, new Marks([]))).map((each) =>
          typeof each === "string" ? undefined : each,
        ),
    );
  }

  /** How many entries are newer than what was seen, up to `most`. Those that were deleted, and not met yet, count. */
  async unseen(reader: string, most: number): Promise<number> {
    const timeline = await this.#open(reader);
    return (await timeline.next(undefined, most, timeline.marks.seenTo)).length;
  }

  /** The time (us) of the newest entry; 0 where there is none. */
  async newest(reader: string): Promise<number> {
    const timeline = await this.#open(reader);
    return (await timeline.next(undefined, 1))[0]?.score ?? 0;
  }

  /** The entries after a time (us), the oldest first. */
  async since(reader: string, from: number, most: number): Promise<FeedEntry<T>[]> {
    const timeline = await this.#open(reader);
    const left: Left = { gone: [], unfollowed: new Map() };
    const found = await this.#visible(timeline, await timeline.next(undefined, most, from), left);
    return found.flatMap((each) => (each === undefined ? [] : [each.entry])).toReversed();
  }

  async #open(reader: string): Promise<Timeline> {
    const timeline = await Timeline.open(this.#parts, reader);
    if (timeline.isToHeal) void this.#graph.heal(reader);
    return timeline;
  }

  async #collect(
    { limit, place: start, isGrouped }: Wanted,
    next: (place: Place | undefined, most: number) => Promise<Candidate[]>,
    visible: (candidates: readonly Candidate[]) => Promise<(Hydrated<T> | undefined)[]>,
  ): Promise<FeedPage<T>> {
    const entries: FeedEntry<T>[] = [];
    const groups = new Map<string, { at: number; members: FeedEntry<T>[] }>();
    let place = start;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const most = limit - entries.length + SPARE;
      const candidates = await next(place, most);
      const found = await visible(candidates);
      for (const [at, each] of found.entries()) {
        if (each !== undefined) {
          const group = isGrouped && each.group !== undefined ? groups.get(each.group) : undefined;
          if (group !== undefined) group.members.push(each.entry);
          else if (entries.length === limit) return { entries: folded(entries, groups), cursor: positionOf(place!) };
          else {
            if (isGrouped && each.group !== undefined)
              groups.set(each.group, { at: entries.length, members: [each.entry] });
            entries.push(each.entry);
          }
        }
        place = candidates[at]!;
      }
      if (candidates.length < most) return { entries: folded(entries, groups), cursor: undefined };
    }
    return { entries: folded(entries, groups), cursor: positionOf(place!) };
  }

  async #visible(
    timeline: Timeline,
    candidates: readonly Candidate[],
    left: Left,
  ): Promise<(Hydrated<T> | undefined)[]> {
    const found = await this.#hydrator.entries(timeline.reader, candidates, timeline.marks);
    const authors = new Set(
      found.flatMap((each, at) => (typeof each === "string" || candidates[at]!.isNamed ? [] : [each.entry.author])),
    );
    const followed = authors.size === 0 ? new Map<string, number>() : await timeline.followed([...authors]);
    return found.map((each, at) => {
      const { id, score, isNamed } = candidates[at]!;
      if (typeof each === "string") {
        // What only this process cannot read stays: a feed by name has no copy.
        if (each === "gone") left.gone.push(id);
        return undefined;
      }
      if (isNamed) return each;
      const { author } = each.entry;
      const from = followed.get(author);
      if (from !== undefined && score >= from) return each;
      left.unfollowed.set(author, [...(left.unfollowed.get(author) ?? []), id]);
      return undefined;
    });
  }

  /** What will never be shown does not stay, and whoever is not followed does not push. */
  async #sweep(timeline: Timeline, { gone, unfollowed }: Left): Promise<void> {
    const { store } = this.#parts;
    const { reader } = timeline;
    const swept = [...gone, ...[...unfollowed.values()].flat()].filter((id) => timeline.isInInbox(id));
    try {
      if (swept.length > 0) await store.sweep(reader, swept);
      if (gone.length > 0) await store.forget(reader, gone);
      await Promise.all([...unfollowed.keys()].map((author) => this.#graph.leave(reader, author)));
    } catch (error) {
      // Next time.
      if (!isOutage(error)) throw error;
    }
  }
}

function wantedOf({ limit = 20, cursor }: FeedPageOptions): { limit: number; place: Place | undefined } {
  return {
    limit: wholeBetween("limit", limit, 1, MAX_LIMIT),
    place: cursor === undefined ? undefined : placeOf("cursor", cursor),
  };
}

function folded<T>(
  entries: readonly FeedEntry<T>[],
  groups: ReadonlyMap<string, { readonly at: number; readonly members: readonly FeedEntry<T>[] }>,
): FeedEntry<T>[] {
  const shown = [...entries];
  for (const { at, members } of groups.values()) {
    // Seen and read are those of the newest: one that has grown is neither.
    if (members.length > 1)
      shown[at] = { ...entries[at]!, group: { count: members.length, authors: authorsOf(members) } };
  }
  return shown;
}
