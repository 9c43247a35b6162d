/**
 * Presence: who is in a room, over all processes, and who comes and goes.
 *
 * Promises: a user is present while any of their devices is; whoever joined is seen by all until it leaves, and a process that
 * dies is followed out by its members within `ttl` and `grace`. Each change is announced once, with a number, so that whoever
 * watches sees where one is missing, and gets all of it again (`reset`). A device that comes back within `grace` was never away.
 *
 * While the server is away: `join` and the questions wait for it until their deadline and then reject; members stay until their
 * ttl is over, and join again by themselves once it is back; who watches is told once that what was seen is `stale`.
 */
import type { Core } from "../core/core.ts";
import { Operations } from "../core/observe/observe.ts";
import { PresenceMembership } from "./membership.ts";
import {
  joining,
  nameOf,
  paging,
  type PresenceJoinOptions,
  type PresenceMembersOptions,
  type PresenceOptions,
  presenceSettings,
  type PresenceWatchOptions,
  watching,
} from "./options.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { PresenceRooms } from "./rooms.ts";
import { Roster } from "./roster.ts";
import { type PresenceRange, PresenceStore, type StoredRoom } from "./store.ts";
import { memberOf, type PresenceEvent, type PresenceMember, PresenceWatch } from "./watch.ts";

/** Nobody joined: `room` or `user` has as many devices as it may. Can be disposed of as a membership can. */
export interface PresenceRefused extends AsyncDisposable {
  readonly status: "limit";
  readonly of: "room" | "user";
  readonly max: number;
}

export type PresenceJoinResult<Meta> = PresenceMembership<Meta> | PresenceRefused;

export interface PresenceCount {
  readonly users: number;
  readonly devices: number;
}

export interface PresencePage<Meta> {
  readonly members: readonly PresenceMember<Meta>[];
  /** For the next page; undefined: this was the last. */
  readonly cursor: string | undefined;
}

/** A room as it changes; for `for await`. */
export type PresenceEvents<Meta> = AsyncIterableIterator<PresenceEvent<Meta>, undefined, undefined> & AsyncDisposable;

/**
 * One room.
 * @example
 * const room = hf.presence<{ name: string }>("room:1");
 * const me = await room.join("ada", { meta: { name: "Ada" } });
 * for await (const event of room.watch()) show(event);
 */
export class Presence<Meta> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #rooms: PresenceRooms;
  readonly #store: PresenceStore<Meta>;

  constructor(core: Core, rooms: PresenceRooms, name: string, options?: PresenceOptions<Meta>) {
    this.name = name;
    this.#core = core;
    this.#rooms = rooms;
    this.#operations = new Operations("presence", name);
    const settings = presenceSettings(core, this.#operations.where, options);
    this.#store = new PresenceStore(core, name, settings);
  }

  /**
   * Joins the room with one device of the user, until it leaves or is lost. `limit`: the room, or the user, has as many devices
   * as it may.
   * Cost: one script, shared with what else this process changes in the room in the same tick; then one per third of the ttl for
   * all members of the process.
   * @throws UnavailableError or TimeoutError if no server answers: it has not joined then
   */
  join(user: Id, options?: PresenceJoinOptions<Meta>): Promise<PresenceJoinResult<Meta>> {
    return this.#operations.run("join", this.name, async () => {
      const who = nameOf("user", user);
      const { device = this.#core.driver.runtime.randomBytes(9).toString("base64url"), ...terms } = joining(options);
      const attendance = this.#rooms.attendance(this.#store as PresenceStore<never>);
      const home = { operations: this.#operations, store: this.#store, attendance };
      const membership = new PresenceMembership<Meta>(home, { user: who, device, ...terms });
      const outcome = await PresenceMembership.enter(membership);
      if (outcome === "full") return refused("room", this.#store.settings.maxMembers);
      if (outcome === "devices") return refused("user", this.#store.settings.maxDevices);
      return membership;
    });
  }

  /**
   * Returns a page of those who are present, by the order of their names' bytes; all devices of a user are in the same page.
   * Cost: one script.
   * @throws CodecError when a meta cannot be read by this configuration
   */
  members(options?: PresenceMembersOptions): Promise<PresencePage<Meta>> {
    return this.#operations.run("members", this.name, async () => {
      const { after, limit } = paging(options);
      const from = after === "" ? "-" : `[${after}\u0001`;
      const stored = await this.#read("members", { from, to: "+", limit });
      const members = this.#members(stored);
      return { members, cursor: stored.rows.length < limit ? undefined : members.at(-1)?.user };
    });
  }

  /**
   * Returns the user with all their devices; undefined where they are not present.
   * Cost: one script.
   * @throws CodecError as `members`
   */
  get(user: Id): Promise<PresenceMember<Meta> | undefined> {
    return this.#operations.run("get", this.name, async () => this.#members(await this.#of("get", user, 1)).at(0));
  }

  /** Returns whether the user is present. Cost: one script. */
  has(user: Id): Promise<boolean> {
    return this.#operations.run("has", this.name, async () => (await this.#of("has", user, 1)).rows.length > 0);
  }

  /** Returns how many are present. Cost: one script, however many there are. */
  count(): Promise<PresenceCount> {
    return this.#operations.run("count", this.name, async () => {
      const { users, devices } = await this.#read("count");
      return { users, devices };
    });
  }

  /**
   * Yields who is in the room, and then who joins, changes and leaves; a slow consumer gets the sum of it. `reset` with all
   * members where something was missed, `stale` while the server cannot be asked.
   * Cost: SSUBSCRIBE, one script per 500 devices, then one per half minute; shared by all that watch the room by this handle.
   */
  watch(options?: PresenceWatchOptions): PresenceEvents<Meta> {
    const signal = watching(this.#operations.where, options);
    const store = this.#store as PresenceStore<never>;
    return new PresenceWatch<Meta>(this.#core, this.#store, () => this.#rooms.picture(store), signal);
  }

  #of(verb: string, user: Id, limit: number): Promise<StoredRoom> {
    const name = nameOf("user", user);
    return this.#read(verb, { from: `[${name}\0`, to: `(${name}\u0001`, limit });
  }

  #read(verb: string, range?: PresenceRange): Promise<StoredRoom> {
    return this.#store.read(`presence.${verb}`, range);
  }

  #members({ epoch, version, rows }: StoredRoom): PresenceMember<Meta>[] {
    const roster = new Roster(epoch, version);
    roster.add(rows);
    return [...roster.entries()].map(([user, devices]) => memberOf(this.#store, user, devices));
  }
}

function refused(of: "room" | "user", max: number): PresenceRefused {
  return { status: "limit", of, max, [Symbol.asyncDispose]: () => Promise.resolve() };
}
