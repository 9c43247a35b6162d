/** The server's side of a geo index: which calls share a script, and what the replies mean. */
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Driver } from "../driver/port.ts";
import { TimeoutError } from "../base/errors.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { type BatchItem, runScript, type UnclassedCall } from "../core/script/run.ts";
import {
  add,
  distance,
  type DistanceArgs,
  nearest,
  type NearestArgs,
  type NearestResult,
  positions,
  remove,
  type RemoveArgs,
  size,
  within,
  type WithinArgs,
  type WithinResult,
} from "./scripts.gen.ts";
import type { GeoSettings } from "./options.ts";
import type { GeoPoint } from "./query.ts";

export interface Place extends GeoPoint {
  readonly member: string;
}

export interface GeoMatch extends Place {
  /** From the centre of the search. */
  readonly meters: number;
}

interface Keys {
  readonly places: string;
  readonly ends: string;
}

/** An operation of the merged form; all of them are on the same keys. */
type Item<Args> = BatchItem<Keys, Args>;
type SearchOp = "geo.radius" | "geo.box";

/** In one script: at most about a millisecond of the server's time. */
const MAX_ADDS = 256;
const MAX_POSITIONS = 512;
const MAX_SEARCHES = 5;
/** A search that returns this many costs twice as much as one that returns a few. */
const MATCHES_PER_SEARCH = 100;

export class GeoStore {
  readonly #driver: Driver;
  readonly #settings: GeoSettings;
  readonly #keys: Keys;
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Place, void>;
  readonly #positions: BatchKind<string, GeoPoint | undefined>;
  readonly #removes: BatchKind<Item<RemoveArgs>, boolean>;
  readonly #distances: BatchKind<Item<DistanceArgs>, number | null>;
  readonly #nearests: BatchKind<Item<NearestArgs>, NearestResult>;
  readonly #withins: Readonly<Record<SearchOp, BatchKind<Item<WithinArgs>, WithinResult>>>;

  constructor(driver: Driver, keys: GroupKeys, settings: GeoSettings) {
    this.#driver = driver;
    this.#settings = settings;
    this.#keys = { places: keys.key, ends: keys.part("ends") };
    this.#slot = driver.slotOf(keys.key);
    const withins = (op: SearchOp): BatchKind<Item<WithinArgs>, WithinResult> => ({
      ...scriptKind(driver, within, this.#call(op), orThrow),
      maxItems: MAX_SEARCHES,
      weigh: weightOf,
    });
    this.#adds = { maxItems: MAX_ADDS, run: (group) => void this.#addGroup(group) };
    this.#positions = { maxItems: MAX_POSITIONS, run: (group) => void this.#readGroup(group) };
    this.#removes = scriptKind(driver, remove, this.#call("geo.remove"), orThrow);
    this.#distances = scriptKind(driver, distance, this.#call("geo.distance"), orThrow);
    this.#nearests = {
      ...scriptKind(driver, nearest, this.#call("geo.nearest"), orThrow),
      maxItems: MAX_SEARCHES,
      weigh: weightOf,
    };
    this.#withins = { "geo.radius": withins("geo.radius"), "geo.box": withins("geo.box") };
  }

  add(place: Place): Promise<void> {
    return this.#lane.add(this.#adds, this.#slot, place);
  }

  position(member: string): Promise<GeoPoint | undefined> {
    return this.#lane.add(this.#positions, this.#slot, member);
  }

  remove(member: string): Promise<boolean> {
    return this.#lane.add(this.#removes, this.#slot, this.#item({ member }, member));
  }

  distance(from: string, to: string): Promise<number | null> {
    return this.#lane.add(this.#distances, this.#slot, this.#item({ from, to }, from));
  }

  nearest(args: NearestArgs): Promise<GeoMatch[] | undefined> {
    return this.#search("geo.nearest", this.#nearests, this.#item(args, args.anchor));
  }

  within(op: SearchOp, args: WithinArgs): Promise<GeoMatch[] | undefined> {
    return this.#search(op, this.#withins[op], this.#item(args, args.anchor));
  }

  size(): Promise<number> {
    this.#lane.flush(this.#slot);
    return runScript(this.#driver, size, this.#keys, {}, this.#call("geo.size"));
  }

  /**
   * Undefined if the member at the centre is missing. A script that found more expired members than one call should
   * remove has removed a part of them and is asked again: a search never shows one, and never returns fewer because of them.
   */
  async #search<Args>(
    op: string,
    kind: BatchKind<Item<Args>, NearestResult | WithinResult>,
    item: Item<Args>,
  ): Promise<GeoMatch[] | undefined> {
    const deadline = this.#driver.runtime.now() + (this.#settings.timeoutMs ?? this.#driver.timeoutMs);
    do {
      const answer = await this.#lane.add(kind, this.#slot, item);
      if (answer.status === "found") return answer.matches;
      if (answer.status === "missing") return undefined;
    } while (this.#driver.runtime.now() < deadline);
    throw new TimeoutError(`${op}: expired members were still being removed at the deadline; try again`, {
      op,
    });
  }

  async #addGroup(group: readonly Pending<Place, void>[]): Promise<void> {
    const entries = group.flatMap(({ item: { lon, lat, member } }) => [String(lon), String(lat), member]);
    const args = { ttlMs: this.#settings.ttlMs, entries };
    try {
      await runScript(
        this.#driver,
        add,
        this.#keys,
        args,
        this.#call(
          "geo.add",
          onlyKey(group, ({ member }) => member),
        ),
      );
      for (const pending of group) pending.resolve();
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  }

  async #readGroup(group: readonly Pending<string, GeoPoint | undefined>[]): Promise<void> {
    const members = group.map(({ item }) => item);
    const call = this.#call(
      "geo.position",
      onlyKey(group, (member) => member),
    );
    try {
      const flat = await runScript(this.#driver, positions, this.#keys, { members }, call);
      for (const [at, pending] of group.entries()) pending.resolve(pointOf(flat[at * 2], flat[at * 2 + 1]));
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  }

  #item<Args>(args: Args, key: string): Item<Args> {
    return { keys: this.#keys, args, key };
  }

  #call(op: string, key?: string): UnclassedCall {
    return { op, key, timeoutMs: this.#settings.timeoutMs };
  }
}

function weightOf({ args }: { readonly args: { readonly limit: number } }): number {
  return 1 + args.limit / MATCHES_PER_SEARCH;
}

function onlyKey<T>(group: readonly Pending<T, never>[], name: (item: T) => string): string | undefined {
  return group.length === 1 ? name(group[0]!.item) : undefined;
}

function pointOf(lon: number | null | undefined, lat: number | null | undefined): GeoPoint | undefined {
  return typeof lon === "number" && typeof lat === "number" ? { lon, lat } : undefined;
}
