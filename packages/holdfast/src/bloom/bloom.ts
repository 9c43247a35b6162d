/**
 * A Bloom filter: whether something was there before, in about ten bits for each member instead of the member.
 *
 * Promises: a member that was added is found, until it is forgotten; one that was not is found with a chance of `errorRate` at most. Of
 * several processes that add a new member at once, one is told that it was new. A full filter refuses instead of becoming wrong. While the
 * server is away, calls wait for it until their deadline and then reject; an addition whose answer was lost is repeated, and rejects with
 * OutcomeUnknownError where it cannot be known whether the member was new.
 */
import { listOf } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { errorRateOf } from "./geometry.ts";
import { type BloomOptions, type BloomSettings, bloomSettings } from "./options.ts";
import { type Answer, BloomStore } from "./store.ts";

/**
 * `ok`: it was certainly not there, and is now. `duplicate`: it was there, or is taken for one that was. `limit`: it was not there, and there
 * is no room for it; nothing was changed.
 */
export interface BloomAddResult {
  readonly status: "ok" | "duplicate" | "limit";
}

export interface BloomInfo {
  /** Members that were new when they were added; with `ttl`, since this generation began. */
  readonly count: number;
  readonly capacity: number;
  /** As it is now, on average; with `ttl`, of this generation alone. */
  readonly errorRate: number;
  /** Of the bits; with `ttl` there are up to twice as many. */
  readonly bytes: number;
}

const STATUS: Readonly<Record<Answer, BloomAddResult["status"]>> = { 0: "duplicate", 1: "ok", 2: "limit" };
const SEGMENTS_AT_ONCE = 64;

/**
 * @example
 * const seen = hf.bloom("webhooks", { capacity: 1_000_000, errorRate: 0.001, ttl: "7d" });
 * if ((await seen.add(eventId)).status === "ok") await handle(event);
 */
export class Bloom {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: BloomSettings;
  readonly #store: BloomStore;
  readonly #clock: ServerClock;

  constructor(core: Core, name: string, options: BloomOptions) {
    this.name = name;
    this.#operations = new Operations("bloom", name);
    this.#settings = bloomSettings(this.#operations.where, options);
    core.keys.group("bloom", name);
    this.#store = new BloomStore(core, name, this.#settings);
    this.#clock = ServerClock.of(core.driver);
  }

  /**
   * Adds a member, and says whether it was there.
   * Cost: one script (two or three BITFIELD), about 10 us; those of the same tick and slot share it, those of one segment its commands.
   * @throws OutcomeUnknownError if the answer was lost and the repetition found the member there; it is in the filter
   */
  add(member: Id): Promise<BloomAddResult> {
    return this.#operations.run("add", member, async () => {
      const named = checkId("member", member);
      return { status: STATUS[await this.#store.add(named, await this.#now("add"))] };
    });
  }

  /** Adds these members, and says of each whether it was there. Cost: as `add`, one script per up to 64 members. */
  addMany(members: Iterable<Id>): Promise<Map<Id, BloomAddResult>> {
    return this.#operations.run("addMany", undefined, () =>
      this.#many("addMany", members, async (member, now) => ({ status: STATUS[await this.#store.add(member, now)] })),
    );
  }

  /** Whether a member was added: false is certain. Cost: one BITFIELD_RO, with `ttl` two or three; those of the same tick and segment share it. */
  has(member: Id): Promise<boolean> {
    return this.#operations.run("has", member, async () => {
      const named = checkId("member", member);
      return this.#store.has(named, await this.#now("has"));
    });
  }

  /** As `has` for each of these members. Cost: one BITFIELD_RO per segment and up to 64 members. */
  hasMany(members: Iterable<Id>): Promise<Map<Id, boolean>> {
    return this.#operations.run("hasMany", undefined, () =>
      this.#many("hasMany", members, (member, now) => this.#store.has(member, now)),
    );
  }

  /** How full it is, and how often it is wrong now. Cost: one BITFIELD_RO for each 64 KB. */
  info(): Promise<BloomInfo> {
    return this.#operations.run("info", undefined, async () => {
      const now = await this.#now("info");
      const { geometry, capacity } = this.#settings;
      const counts = await this.#eachSegment((segment) => this.#store.count(segment, now));
      const rates = counts.map((count) => errorRateOf(count, geometry));
      return {
        count: counts.reduce((sum, count) => sum + count, 0),
        capacity,
        errorRate: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
        bytes: (geometry.segments * geometry.bits) / 8,
      };
    });
  }

  /** Forgets all members. Idempotent. Cost: one UNLINK for each 64 KB. */
  clear(): Promise<void> {
    return this.#operations.run("clear", undefined, async () => {
      const now = await this.#now("clear");
      await this.#eachSegment((segment) => this.#store.remove(segment, now));
    });
  }

  async #many<T>(
    verb: string,
    members: Iterable<Id>,
    ask: (member: string, now: number) => Promise<T>,
  ): Promise<Map<Id, T>> {
    const wanted = [...new Set(listOf("members", members, "members"))];
    const named = wanted.map((member) => checkId("members", member));
    if (named.length === 0) return new Map();
    const now = await this.#now(verb);
    const answers = await inChunks(named, (chunk) => Promise.all(chunk.map((member) => ask(member, now))));
    return new Map(wanted.map((member, at) => [member, answers[at]!]));
  }

  #eachSegment<T>(ask: (segment: number) => Promise<T>): Promise<T[]> {
    const all = Array.from({ length: this.#settings.geometry.segments }, (_, segment) => segment);
    return inChunks(all, (chunk) => Promise.all(chunk.map(ask)), { size: SEGMENTS_AT_ONCE });
  }

  /** Nobody asks where there are no generations. */
  async #now(verb: string): Promise<number> {
    if (this.#settings.ttlMs === undefined) return 0;
    return this.#clock.now() ?? (await this.#clock.required(this.#operations.where, { op: `bloom.${verb}` }));
  }
}
