/** The server's side of a geo index: its three keys, which calls share a script, and what the replies mean. */
import { TimeoutError } from "../base/errors.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { type BatchItem, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Driver } from "../driver/port.ts";
import { cellsRead } from "./cells-read.ts";
import type { GeoSettings } from "./options.ts";
import {
  add,
  look,
  type LookArgs,
  type LookResult,
  positions,
  remove,
  type RemoveArgs,
  type RemoveKeys,
  size,
} from "./scripts.gen.ts";
import { pointOf } from "../core/earth/cells.ts";
import type { GeoPoint } from "../core/earth/point.ts";
import { Density } from "./search/density.ts";
import type { Look, Seen, Span } from "./search/parts.ts";

export interface Place extends GeoPoint {
  readonly member: string;
  /** As they are stored; "" keeps those that are there. */
  readonly fields: string;
}

export interface Stored extends GeoPoint {
  /** "" for none. */
  readonly fields: string;
}

type Removal = BatchItem<RemoveKeys, RemoveArgs>;
/** Of one search. */
interface Asked {
  readonly op: string;
  readonly spans: readonly Span[];
}

type Looked = { readonly total: number; readonly seen: readonly Seen[] };

/** In one script: about a millisecond of the server's time, where the index has a million members. */
const MAX_ADDS = 48;
const MAX_POSITIONS = 128;
/** A look's parts weigh what they take the server at most, in microseconds. */
const MAX_LOOK_US = 1_000;
const SPAN_US = 5;
const MEMBER_US = 0.8;
/** Objects of the same name share what they learn; of so many names. */
const MAX_LEARNED = 100;
const learned = new WeakMap<Core, Map<string, Density>>();

export class GeoStore {
  readonly density: Density;
  readonly #driver: Driver;
  readonly #settings: GeoSettings;
  readonly #keys: RemoveKeys & { readonly places: string };
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Place, void>;
  readonly #positions: BatchKind<string, Stored | undefined>;
  readonly #removals: BatchKind<Removal, boolean>;
  readonly #looks: BatchKind<Asked, Looked>;
  readonly #looksWithFields: BatchKind<Asked, Looked>;

  constructor(core: Core, keys: GroupKeys, name: string, settings: GeoSettings) {
    this.density = densityOf(core, name);
    this.#driver = core.driver;
    this.#settings = settings;
    this.#keys = { places: keys.key, ends: keys.part("ends"), fields: keys.part("fields") };
    this.#slot = core.driver.slotOf(keys.key);
    this.#adds = listKind(MAX_ADDS, (places) => this.#add(places));
    this.#positions = listKind(MAX_POSITIONS, (members) => this.#read(members));
    this.#removals = scriptKind(core.driver, remove, this.#call("remove"), orThrow);
    this.#looks = { maxItems: MAX_LOOK_US, weigh: weightOf, run: (group) => void this.#look(group, false) };
    this.#looksWithFields = { ...this.#looks, run: (group) => void this.#look(group, true) };
  }

  add(place: Place): Promise<void> {
    return this.#lane.add(this.#adds, this.#slot, place);
  }

  get(member: string): Promise<Stored | undefined> {
    return this.#lane.add(this.#positions, this.#slot, member);
  }

  remove(member: string): Promise<boolean> {
    return this.#lane.add(this.#removals, this.#slot, { keys: this.#keys, args: { member }, key: member });
  }

  size(): Promise<number> {
    this.#lane.flush(this.#slot);
    return runScript(this.#driver, size, this.#keys, {}, this.#call("size"));
  }

  /** What one search looks with, until its deadline. */
  looking(op: string, withFields: boolean): Look {
    const deadline = this.#deadline();
    const kind = withFields ? this.#looksWithFields : this.#looks;
    return async (spans) => {
      if (this.#driver.runtime.now() > deadline)
        throw new TimeoutError(
          `geo.${op}: the search was not over at its deadline; ask for fewer members, or nearer ones`,
          {
            op: `geo.${op}`,
          },
        );
      const looks = await Promise.all(
        groupsOf(spans).map((group) => this.#lane.add(kind, this.#slot, { op, spans: group })),
      );
      return { total: looks[0]!.total, seen: looks.flatMap(({ seen }) => seen) };
    };
  }

  async #add(places: readonly Place[]): Promise<void[]> {
    const entries = places.flatMap(({ lon, lat, member, fields }) => [String(lon), String(lat), member, fields]);
    const call = this.#call("add", onlyOne(places.map(({ member }) => member)));
    await runScript(this.#driver, add, this.#keys, { ttlMs: this.#settings.ttlMs, entries }, call);
    return places.map(() => undefined);
  }

  async #read(members: readonly string[]): Promise<(Stored | undefined)[]> {
    const call = this.#call("position", onlyOne(members));
    const flat = await runScript(this.#driver, positions, this.#keys, { members }, call);
    return members.map((_, at) => {
      const [score, fields] = [flat[at * 2], flat[at * 2 + 1]];
      return typeof score === "string" ? { ...pointOf(Number(score)), fields: fields ?? "" } : undefined;
    });
  }

  async #look(group: readonly Pending<Asked, Looked>[], withFields: boolean): Promise<void> {
    const op = group.every(({ item }) => item.op === group[0]!.item.op) ? group[0]!.item.op : "search";
    const spans = group.flatMap(({ item }) => item.spans);
    const cells = spans.flatMap(({ first, end, skip, most }) => [String(first), `(${end}`, String(skip), String(most)]);
    try {
      const answer = await this.#untilSwept(op, { withFields, cells });
      const seen = answer.total === 0 ? [] : cellsRead(answer.read, spans.length, withFields);
      for (const asked of group) asked.resolve({ total: answer.total, seen: seen.splice(0, asked.item.spans.length) });
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  }

  /**
   * A script that found more expired members than one call should remove has removed a part of them and is asked again: a search never shows
   * one, and never returns fewer because of them.
   */
  async #untilSwept(op: string, args: LookArgs): Promise<LookResult & { readonly status: "found" }> {
    const deadline = this.#deadline();
    for (;;) {
      const answer = await runScript(this.#driver, look, this.#keys, args, this.#call(op));
      if (answer.status === "found") return answer;
      if (this.#driver.runtime.now() < deadline) continue;
      const why = `geo.${op}: expired members were still being removed at the deadline; try again`;
      throw new TimeoutError(why, { op: `geo.${op}` });
    }
  }

  #deadline(): number {
    return this.#driver.runtime.now() + (this.#settings.timeoutMs ?? this.#driver.timeoutMs);
  }

  #call(verb: string, key?: string): UnclassedCall {
    return { op: `geo.${verb}`, key, timeoutMs: this.#settings.timeoutMs };
  }
}

function densityOf(core: Core, name: string): Density {
  const names = learned.get(core) ?? new Map<string, Density>();
  learned.set(core, names);
  const density = names.get(name) ?? new Density();
  names.delete(name);
  names.set(name, density);
  if (names.size > MAX_LEARNED) names.delete(names.keys().next().value!);
  return density;
}

const spanWeight = ({ most }: Span): number => SPAN_US + Math.abs(most) * MEMBER_US;

function weightOf({ spans }: Asked): number {
  return spans.reduce((sum, span) => sum + spanWeight(span), 0);
}

/** Spans for one script each. */
function groupsOf(spans: readonly Span[]): Span[][] {
  const groups: Span[][] = [[]];
  let weight = 0;
  for (const span of spans) {
    weight += spanWeight(span);
    if (weight > MAX_LOOK_US) {
      groups.push([]);
      weight = spanWeight(span);
    }
    groups.at(-1)!.push(span);
  }
  return groups;
}

function onlyOne(members: readonly string[]): string | undefined {
  return members.length === 1 ? members[0] : undefined;
}
