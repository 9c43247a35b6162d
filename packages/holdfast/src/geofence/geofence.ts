/**
 * Fences on the map, and who enters, stays in and leaves them.
 *
 * Promises: `containing` is exact. Each transition of an entity is returned by exactly one `track`, however many processes track it at once and
 * whatever answers are lost; an entity on a border does not enter and leave again and again (`margin`, `settle`). What is known of an entity is
 * one key, which expires. While the server is away, calls wait for it until their deadline and then reject: an outage is never an exit.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, timeOf } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import { checkPoint, type GeoPoint } from "../core/earth/point.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { cellsAround, checkShape, Fence, type GeofenceShape, type Side } from "./fence.ts";
import { type GeofenceOptions, geofenceSettings, type GeofenceSettings } from "./options.ts";
import { GeofenceStore } from "./store.ts";

export interface GeofenceTransition {
  /** `dwell` is told once for each stay, by a position inside: not where the next one after it is outside. */
  readonly kind: "enter" | "dwell" | "exit";
  readonly entity: string;
  readonly fence: string;
  /** Rises by one with each transition while the entity is known. With its name and `at` it is an id, such as for a job. */
  readonly number: number;
  /** The server's time when it was found, in milliseconds. */
  readonly at: number;
  /** When the entity was first seen inside. */
  readonly since: number;
  /** Of an `exit`: whether the fence is gone, and not the entity. Not there where the server went away before it could be asked. */
  readonly removed?: true;
}

/**
 * `stale`: nothing was changed, because the entity was tracked with a later `at`. `limit`: nothing was changed, because it would be in more than
 * 64 fences.
 */
export type GeofenceTrackResult =
  | { readonly status: "ok"; readonly transitions: GeofenceTransition[] }
  | { readonly status: "stale"; readonly at: number }
  | { readonly status: "limit" };

/** `limit`: nothing was changed, because there would be more than `maxFences`, or more than 64 found by one cell of the map. */
export type GeofenceSetResult =
  | { readonly status: "ok" }
  | { readonly status: "limit"; readonly limit: "fences" | "cell" };

export interface GeofenceTrackOptions {
  /** When the entity was there, by one clock for each entity: what comes later and is older is `stale`. @default now, after all before */
  readonly at?: Date | number;
}

export interface GeofenceStay {
  readonly fence: string;
  /** When it was first seen inside, in milliseconds of the server's clock. */
  readonly since: number;
  readonly dwelt: boolean;
}

export interface GeofenceSubscription extends AsyncDisposable {
  close(): Promise<void>;
}

export interface GeofenceSubscribeOptions {
  /** Called where transitions may be missing, because the connection was lost or the handler is too slow. */
  readonly onGap?: () => unknown;
}

/** What transitions are published to. */
export interface GeofenceLive {
  publish(transition: GeofenceTransition): Promise<unknown>;
  subscribe(
    handler: (transition: GeofenceTransition) => unknown,
    options: GeofenceSubscribeOptions,
  ): Promise<GeofenceSubscription>;
}

const TRACK_NAMES: OptionNames<GeofenceTrackOptions> = { at: true };
const SUBSCRIBE_NAMES: OptionNames<GeofenceSubscribeOptions> = { onGap: true };

/**
 * @example
 * const zones = hf.geofence("zones", { margin: 30, settle: "10s", dwell: "5m" });
 * await zones.set("depot", { center: { lon: 13.4, lat: 52.5 }, meters: 200 });
 * const moved = await zones.track("truck-7", { lon: 13.4, lat: 52.5 });
 */
export class Geofence {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: GeofenceSettings;
  readonly #store: GeofenceStore;
  readonly #openLive: () => GeofenceLive;
  #opened: GeofenceLive | undefined;

  /** @internal */
  constructor(core: Core, name: string, options: GeofenceOptions | undefined, live: () => GeofenceLive) {
    this.name = name;
    this.#operations = new Operations("geofence", name);
    this.#settings = geofenceSettings(name, options);
    this.#store = new GeofenceStore(core, name, this.#settings);
    this.#openLive = live;
  }

  /** Sets a fence, or changes it. Idempotent. Cost: one script, about a microsecond for each of up to 24 cells. */
  set(id: Id, shape: GeofenceShape): Promise<GeofenceSetResult> {
    return this.#operations.run("set", id, async () => {
      const fence = new Fence(checkShape(shape), this.#settings.margin);
      const answer = await this.#store.set(checkName(id), fence.text, fence.cover());
      if (answer.status === "ok") return { status: "ok" };
      return { status: "limit", limit: answer.limit === "cell" ? "cell" : "fences" };
    });
  }

  /** Returns a fence's shape; undefined if there is none. Cost: HMGET; reads made in the same tick share it. */
  get(id: Id): Promise<GeofenceShape | undefined> {
    return this.#operations.run("get", id, async () => {
      const [text] = await this.#store.fences([checkName(id)]);
      return text === undefined ? undefined : Fence.stored(text).shape;
    });
  }

  /** Removes a fence; false if there was none. Who is in it leaves with the next `track`. Idempotent. Cost: as `set`. */
  remove(id: Id): Promise<boolean> {
    return this.#operations.run("remove", id, async () => {
      const answer = await this.#store.set(checkName(id), "", []);
      return answer.status === "ok" && answer.existed;
    });
  }

  /** Iterates over the ids of all fences, in no order. Cost: one HSCAN per about 500 fields. */
  async *ids(): AsyncGenerator<string> {
    const met = new Set<string>();
    for await (const page of this.#store.ids())
      for (const id of page)
        if (!met.has(id)) {
          met.add(id);
          yield id;
        }
  }

  /**
   * Returns the ids of the fences that contain a point, sorted.
   * Cost: one HMGET of 13 cells, shared in the same tick, and one of the fences that they lead to; the shapes are compared here.
   */
  containing(point: GeoPoint): Promise<string[]> {
    return this.#operations.run("containing", undefined, async () => {
      const { inside } = await this.#sides(checkPoint(point));
      return inside.toSorted();
    });
  }

  /**
   * Says where an entity is now, and returns what that changes. Time passes for an entity only when it is tracked.
   * Cost: as `containing`, and one script on the entity's key; with an exit one HMGET more, with `live` a PUBLISH for each transition.
   * @throws OutcomeUnknownError if the answer was lost and the server no longer remembers the call (8 later ones of the entity)
   */
  track(entity: Id, point: GeoPoint, options?: GeofenceTrackOptions): Promise<GeofenceTrackResult> {
    return this.#operations.run("track", entity, async () => {
      const name = checkId("entity", entity);
      const { at } = givenOptions(options, TRACK_NAMES);
      const time = at === undefined ? -1 : timeOf("at", at);
      const { inside, near } = await this.#sides(checkPoint(point));
      const answer = await this.#store.track(name, time, inside, near);
      if (answer.status !== "ok") return answer.status === "stale" ? answer : { status: "limit" };
      const gone = await this.#gone(answer.transitions);
      const transitions = answer.transitions.map(({ kind, fence, ...rest }): GeofenceTransition => {
        const removed = kind === "exit" && gone.has(fence) ? ({ removed: true } as const) : {};
        return { kind: kind as GeofenceTransition["kind"], entity: name, fence, ...rest, ...removed };
      });
      if (this.#settings.live) await this.#publish(transitions);
      return { status: "ok", transitions };
    });
  }

  /** Returns the fences that an entity has entered and not left, as of its last `track`. Cost: HGETALL. */
  inside(entity: Id): Promise<GeofenceStay[]> {
    return this.#operations.run("inside", entity, async () => {
      const state = await this.#store.state(checkId("entity", entity));
      const stays = [...state].filter(([, [, entered]]) => entered !== undefined && entered > 0);
      return stays
        .map(([fence, [since, , , dwelt]]) => ({ fence, since: since!, dwelt: dwelt! > 0 }))
        .toSorted((a, b) => (a.fence < b.fence ? -1 : 1));
    });
  }

  /** Forgets an entity, without exits; false if nothing was known of it. Cost: UNLINK. */
  forget(entity: Id): Promise<boolean> {
    return this.#operations.run("forget", entity, () => this.#store.forget(checkId("entity", entity)));
  }

  /**
   * Calls `handler` with the transitions that any process finds from now on with `live: true`, at most once each. Nothing is stored: what must
   * not be missed is what `track` returns.
   * Cost: SUBSCRIBE by the first.
   */
  subscribe(
    handler: (transition: GeofenceTransition) => unknown,
    options?: GeofenceSubscribeOptions,
  ): Promise<GeofenceSubscription> {
    return this.#operations.run("subscribe", undefined, async () => {
      const { onGap } = givenOptions(options, SUBSCRIBE_NAMES);
      if (typeof handler !== "function") throw new InvalidArgumentError("handler", "a function", handler);
      if (onGap !== undefined && typeof onGap !== "function")
        throw new InvalidArgumentError("onGap", "a function", onGap);
      return this.#live.subscribe(handler, { ...(onGap !== undefined && { onGap }) });
    });
  }

  get #live(): GeofenceLive {
    return (this.#opened ??= this.#openLive());
  }

  async #sides(point: GeoPoint): Promise<Record<Side, string[]>> {
    const ids = await this.#store.found(cellsAround(point));
    const fences = ids.length === 0 ? [] : await this.#store.fences(ids);
    const sides: Record<Side, string[]> = { inside: [], near: [], outside: [] };
    for (const [at, text] of fences.entries())
      if (text !== undefined) sides[Fence.stored(text).sideOf(point)].push(ids[at]!);
    return sides;
  }

  /** Of the fences that were left, those that there are no more. None where it cannot be asked: what has been found is to be told all the same. */
  async #gone(transitions: readonly { readonly kind: string; readonly fence: string }[]): Promise<Set<string>> {
    const left = transitions.filter(({ kind }) => kind === "exit").map(({ fence }) => fence);
    if (left.length === 0) return new Set();
    try {
      const fences = await this.#store.fences(left);
      return new Set(left.filter((_, at) => fences[at] === undefined));
    } catch {
      return new Set();
    }
  }

  /** The returned transitions are what counts; a message that is lost is lost. */
  async #publish(transitions: readonly GeofenceTransition[]): Promise<void> {
    await Promise.allSettled(transitions.map(async (transition) => this.#live.publish(transition)));
  }
}

/** Ids stand in lists separated by U+0000. */
function checkName(id: Id): string {
  const name = checkId("id", id);
  if (name.includes("\0")) throw new InvalidArgumentError("id", "a string without the character U+0000", id);
  return name;
}
