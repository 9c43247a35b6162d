/**
 * A reader's feed as ids: from the inbox down to where that is complete, with what is pulled merged in; below it from the outboxes of all who
 * are followed. An inbox that is not there, because the reader was away or it was evicted, is put together again first.
 */
import type { GraphStore } from "../graph/store.ts";
import { compare, type Place } from "../entry.ts";
import type { PulledAuthors } from "../publish/pulled.ts";
import { type Command, type FeedStore, INBOX_SIZE, placesOf } from "../store.ts";
import { type Candidate, mergedOf, newest, type Source } from "./merge.ts";
import { Marks } from "./marks.ts";

/** Of so many pulled authors it is asked whether they are followed; of more, who is followed. */
const MAX_ASKED = 512;
/** So often a reader's place among the followers of all is renewed. */
const HEAL_EVERY_MS = 86_400_000;
/** Behind it comes every entry of the same time. */
const FIRST_ID = "~";

export interface TimelineParts {
  readonly store: FeedStore;
  readonly graph: GraphStore;
  readonly pulled: PulledAuthors;
}

export class Timeline {
  readonly reader: string;
  readonly marks: Marks;
  /** Its place among followers is to be renewed. */
  readonly isToHeal: boolean;
  readonly #parts: TimelineParts;
  readonly #pulledAuthors: ReadonlySet<string>;
  #inbox: readonly Candidate[];
  /** All entries after this time (us) are in the inbox, except for those that are pulled. */
  #floor: number;
  #following: Promise<Map<string, number>> | undefined;
  #pulledSources: Promise<Source[]> | undefined;

  private constructor(
    parts: TimelineParts,
    reader: string,
    marks: Marks,
    pulled: ReadonlySet<string>,
    isToHeal: boolean,
  ) {
    this.#parts = parts;
    this.reader = reader;
    this.marks = marks;
    this.#pulledAuthors = pulled;
    this.isToHeal = isToHeal;
    this.#inbox = [];
    this.#floor = 0;
  }

  /** Cost: a pipeline of five commands; of a reader who comes back, a script and as many as are followed. */
  static async open(parts: TimelineParts, reader: string): Promise<Timeline> {
    const { store } = parts;
    // Before the inbox: what is pulled no longer by then has come to that.
    const pulled = await parts.pulled.all();
    const [inbox, marks] = [store.part(reader, "inbox"), store.part(reader, "marks")];
    const commands: Command[] = [
      ["ZRANGE", inbox, "0", "-1", "REV", "WITHSCORES"],
      ["ZRANGE", marks, "0", "-1", "WITHSCORES"],
      ["ZCARD", store.part(reader, "following")],
      ["PEXPIRE", inbox, String(store.settings.activeForMs)],
      ["SET", store.part(reader, "healed"), "", "NX", "PX", String(HEAL_EVERY_MS)],
    ];
    const call = store.call("page", "idempotent", reader);
    const [rows, marked, followed, , healed] = await store.inSlot(commands, call);
    const timeline = new Timeline(
      parts,
      reader,
      new Marks(placesOf(marked!, call)),
      pulled,
      healed !== null && Number(followed) > 0,
    );
    const places = placesOf(rows!, call);
    const mark = places[0]?.id.startsWith("!") === true ? places[0].id : undefined;
    // While it is filled it says nothing. Whoever began that may have died, and it is the same by whom it is ended.
    if (mark?.startsWith("!b") === false) timeline.#take(mark, places);
    else if (Number(followed) > 0) await timeline.#build();
    return timeline;
  }

  isInInbox(id: string): boolean {
    return this.#inbox.some((each) => each.id === id);
  }

  /** Whom of these the reader follows, with the time (us) from which on they are shown. */
  followed(authors: readonly string[]): Promise<Map<string, number>> {
    return this.#following ?? this.#parts.graph.followed(this.reader, authors);
  }

  /** The next entries below a place, or the newest; fewer than `most` where there are no more after `from` (us). */
  async next(place: Place | undefined, most: number, from = 0): Promise<Candidate[]> {
    const floor = this.#floor;
    if (place !== undefined && place.score <= floor) return this.#lower(place, most, from);
    const inbox = this.#upper(place, most, Math.max(floor, from));
    const others = await newest(this.#parts.store, this.#after(from, await this.#pulled()), place, most);
    const upper = mergedOf([inbox, others]).filter(({ score }) => score > floor);
    if (upper.length >= most || floor <= from) return upper.slice(0, most);
    return [...upper, ...(await this.#lower({ score: floor, id: FIRST_ID }, most - upper.length, from))];
  }

  /** Of the inbox, at most `most` below a place and after a time. */
  #upper(place: Place | undefined, most: number, after: number): Candidate[] {
    const found: Candidate[] = [];
    for (const each of this.#inbox) {
      if (each.score <= after || found.length === most) break;
      if (place === undefined || compare(place, each) < 0) found.push(each);
    }
    return found;
  }

  #take(mark: string, places: readonly Place[]): void {
    // Behind the mark, or two of them while one takes the other's place.
    const first = places[1]?.id.startsWith("!") === true ? 2 : 1;
    this.#inbox = places.slice(first).map(({ id, score }) => ({ id, score, isNamed: false }));
    const floor = Number(mark.slice(1));
    this.#floor = this.#inbox.length < INBOX_SIZE ? floor : Math.max(floor, this.#inbox.at(-1)!.score);
  }

  /** Pushes come from when it is opened on; what was published before is in the outboxes, which are read after that. */
  async #build(): Promise<void> {
    const { store, graph } = this.#parts;
    const mark = await store.open(this.reader, store.driver.runtime.randomUUID().slice(0, 8));
    const following = await graph.following(this.reader);
    this.#following = Promise.resolve(following);
    const entries = await newest(store, this.#outboxes(following), undefined, INBOX_SIZE);
    this.#inbox = entries;
    this.#floor = entries.length < INBOX_SIZE ? 0 : entries.at(-1)!.score;
    if (mark.startsWith("!b")) await store.fill(this.reader, mark, this.#floor, entries);
  }

  async #lower(place: Place | undefined, most: number, from: number): Promise<Candidate[]> {
    this.#following ??= this.#parts.graph.following(this.reader);
    const sources = [this.#named(), ...this.#outboxes(await this.#following)];
    return newest(this.#parts.store, this.#after(from, sources), place, most);
  }

  /** With the entries that came by name. */
  #pulled(): Promise<Source[]> {
    this.#pulledSources ??= this.#findPulled();
    return this.#pulledSources;
  }

  async #findPulled(): Promise<Source[]> {
    const authors = this.#pulledAuthors;
    if (authors.size === 0) return [this.#named()];
    if (authors.size > MAX_ASKED) this.#following ??= this.#parts.graph.following(this.reader);
    const followed = await this.followed([...authors]);
    return [this.#named(), ...this.#outboxes(new Map([...followed].filter(([author]) => authors.has(author))))];
  }

  #after(from: number, sources: readonly Source[]): Source[] {
    return sources.map((source) => ({ ...source, from: Math.max(source.from, from + 1) }));
  }

  #named(): Source {
    return { key: this.#parts.store.part(this.reader, "named"), from: 0, isNamed: true };
  }

  #outboxes(following: ReadonlyMap<string, number>): Source[] {
    return [...following].map(([author, from]) => ({
      key: this.#parts.store.part(author, "outbox"),
      from,
      isNamed: false,
    }));
  }
}
