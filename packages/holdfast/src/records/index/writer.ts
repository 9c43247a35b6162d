/**
 * Writes of records that are in indexes or have unique values.
 *
 *     claim values, add entries  ->  write the record over its version  ->  release the old claims, remove the old entries
 *
 * What points to a record is there before the record says so, and is removed after. So wherever a writer stops, nothing is missing; what is too
 * much is told by its token, which the record does not have (`x:<field>`). A token is of one write alone, so what is removed late was never
 * anybody else's, and it has the time of its write: a record is not written with a token that is older than COMMIT_WITHIN_MS, and what is older
 * than STALE_MS (a claim) or DEAD_MS (an entry), and not the record's, is nobody's.
 */
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import type { IndexStore } from "./store.ts";
import { entryOf, readEntry, timeOfToken, tokenOf, valueKeys } from "./entry.ts";
import { InvalidArgumentError } from "../../base/errors.ts";

export const COMMIT_WITHIN_MS = 30_000;
const STALE_MS = 60_000;
const DEAD_MS = 600_000;
/** How often a write looks through some entries, and through how many: as many as it makes, twice over. */
const SWEEP_CHANCE = 1 / 16;
const SWEPT = 32;
const MARK = "x:";
const DATA = "d:";

/** A record's state as far as indexes go. */
export interface Indexed {
  /** 0 where there is no record. */
  readonly version: number;
  /** By field, what is there for it. */
  readonly keys: ReadonlyMap<string, readonly Buffer[]>;
  /** By field, of the write that put it there. */
  readonly tokens: ReadonlyMap<string, string>;
}

export interface IndexedWrite {
  readonly op: string;
  readonly id: Id;
  readonly before: Indexed;
  /** By field; those that are not named stay. */
  readonly after: ReadonlyMap<string, readonly Buffer[]>;
  readonly whole: boolean;
  readonly removed: readonly string[];
  readonly layout: readonly (string | number)[];
  readonly payload: Buffer;
  readonly expiring: readonly (string | number)[];
  /** Fields that are left out of indexes, as another record has their value. */
  readonly without?: ReadonlySet<string>;
}

/** `taken`: another record has the value of this field, or (`pending`) is being written with it. */
export type IndexedResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "taken"; readonly field: string; readonly pending: boolean };

interface Claimed {
  readonly key: string;
  readonly stored: string;
  readonly made: boolean;
}

interface Plan {
  readonly token: string;
  readonly marks: Map<string, string>;
  readonly unmarked: string[];
  readonly added: Buffer[];
  readonly dropped: Buffer[];
  readonly claims: { readonly field: string; readonly value: Buffer }[];
  readonly released: { readonly key: string; readonly stored: string }[];
  isLost: boolean;
}

export class IndexWriter {
  readonly #store: IndexStore;
  readonly #unique: ReadonlySet<string>;
  readonly #index: ReadonlySet<string>;
  readonly fields: readonly string[];
  readonly #decode: (id: Id, stored: ReadonlyMap<string, Buffer>) => Readonly<Record<string, unknown>>;

  constructor(
    store: IndexStore,
    { unique, index }: { readonly unique: readonly string[]; readonly index: readonly string[] },
    decode: (id: Id, stored: ReadonlyMap<string, Buffer>) => Readonly<Record<string, unknown>>,
  ) {
    this.#store = store;
    this.#unique = new Set(unique);
    this.#index = new Set(index);
    this.fields = [...new Set([...unique, ...index])];
    this.#decode = decode;
  }

  /** Fields of the hash that `indexed` reads. */
  get names(): string[] {
    return this.fields.flatMap((field) => [MARK + field, DATA + field]);
  }

  /** @param stored fields of the record's hash, `version` among them; undefined where there is no record */
  indexed(id: Id, stored: ReadonlyMap<string, Buffer> | undefined): Indexed {
    if (stored === undefined) return { version: 0, keys: new Map(), tokens: new Map() };
    const values = new Map<string, Buffer>();
    for (const field of this.fields) {
      const value = stored.get(DATA + field);
      if (value !== undefined) values.set(field, value);
    }
    const keys = this.keysOf(this.#decode(id, values));
    return { version: Number(stored.get("version")), keys, tokens: this.tokensIn(stored) };
  }

  tokensIn(stored: ReadonlyMap<string, Buffer>): Map<string, string> {
    const tokens = this.fields.flatMap((field) => {
      const token = stored.get(MARK + field);
      return token === undefined ? [] : [[field, token.toString()] as const];
    });
    return new Map(tokens);
  }

  /** Empty where there is no record. */
  async tokens(id: Id): Promise<ReadonlyMap<string, string>> {
    const names = this.fields.map((field) => MARK + field);
    return this.tokensIn((await this.#store.fields("write", id, names)) ?? new Map());
  }

  async read(op: string, id: Id): Promise<Indexed> {
    return this.indexed(id, await this.#store.fields(op, id, this.names));
  }

  /** What these fields are in indexes, and claimed, as. @throws InvalidArgumentError for what can be neither */
  keysOf(values: Readonly<Record<string, unknown>>): Map<string, Buffer[]> {
    const keys = new Map<string, Buffer[]>();
    for (const field of this.fields) {
      if (!Object.hasOwn(values, field)) continue;
      const value = values[field];
      if (this.#unique.has(field)) checkUnique(field, value);
      keys.set(field, this.#index.has(field) || value !== null ? valueKeys(field, value) : []);
    }
    return keys;
  }

  isFresh(token: string, nowMs: number): boolean {
    return nowMs - timeOfToken(token) <= this.#store.settings.ttlMs / 2;
  }

  /** What points to the record lives on with it. To be called after a write that changed nothing of it. */
  async refresh(id: Id, tokens: ReadonlyMap<string, string>): Promise<void> {
    const nowMs = await this.#now();
    if ([...tokens.values()].every((token) => this.isFresh(token, nowMs))) return;
    const current = await this.read("write", id);
    if (current.version > 0) await this.write(emptyWrite("records.write", id, current));
  }

  async write(given: IndexedWrite): Promise<IndexedResult> {
    const { op, id, before } = given;
    const nowMs = await this.#now();
    const plan = this.#plan(given, tokenOf(this.#store.driver.runtime, nowMs), nowMs);
    const partition = this.#store.partitionOf(id);
    const text = String(id);
    const undo: (() => Promise<unknown>)[] = [];
    try {
      if (plan.added.length > 0 || plan.isLost) {
        undo.push(() => this.#store.leave(partition, plan.added));
        await Promise.all([this.#store.enter(partition, plan.added, plan.isLost), this.#claimAll(plan, text, nowMs, undo)]);
      } else await this.#claimAll(plan, text, nowMs, undo);
    } catch (error) {
      this.#undo(undo);
      if (error instanceof Taken) return { status: "taken", field: error.field, pending: error.pending };
      throw error;
    }
    const payload = [given.payload, ...[...plan.marks.values()].map((token) => Buffer.from(token))];
    const answer = await this.#store.commit(op, id, {
      expected: before.version,
      begunAt: Math.floor(nowMs),
      withinMs: COMMIT_WITHIN_MS,
      whole: given.whole,
      removed: [...given.removed, ...plan.unmarked.map((field) => MARK + field)],
      layout: [...given.layout, ...[...plan.marks].flatMap(([field, token]) => [MARK + field, token.length])],
      payload: Buffer.concat(payload),
      expiring: given.expiring,
    });
    if (answer.status !== "ok") {
      this.#undo(undo);
      return { status: "conflict", version: answer.status === "conflict" ? answer.version : before.version };
    }
    this.#leave(partition, plan.dropped, plan.released);
    if (plan.added.length > 0 && this.#store.driver.runtime.random() < SWEEP_CHANCE)
      this.#store.background(this.sweep(partition));
    return answer;
  }

  /** Deletes the record, and what points to it. */
  async delete(id: Id): Promise<boolean> {
    const stored = await this.#store.take(id, this.names);
    if (stored === undefined) return false;
    const { keys, tokens } = this.indexed(id, stored);
    const dropped: Buffer[] = [];
    const released: Plan["released"] = [];
    for (const [field, token] of tokens) this.#gone(id, field, keys.get(field) ?? [], token, { dropped, released });
    this.#leave(this.#store.partitionOf(id), dropped, released);
    return true;
  }

  /** Puts there what ought to point to the record and does not; fields whose value another record has are returned. */
  async repair(id: Id): Promise<{ readonly repaired: boolean; readonly taken: readonly string[] }> {
    const before = await this.read("reindex", id);
    const taken = new Set<string>();
    const unmarked = [...before.keys].some(([field, keys]) => keys.length > 0 && !before.tokens.has(field));
    if (!unmarked) return { repaired: await this.#restore(id, before, taken), taken: [...taken] };
    for (;;) {
      const result = await this.write(emptyWrite("records.reindex", id, before, taken));
      // Whoever wrote it meanwhile has done it.
      if (result.status !== "taken") return { repaired: true, taken: [...taken] };
      taken.add(result.field);
    }
  }

  async #restore(id: Id, { keys, tokens }: Indexed, taken: Set<string>): Promise<boolean> {
    const nowMs = await this.#now();
    const entries: Buffer[] = [];
    let repaired = false;
    for (const [field, token] of tokens) {
      const of = keys.get(field) ?? [];
      if (this.#index.has(field)) entries.push(...of.map((key) => entryOf(field, key, String(id), token)));
      if (!this.#unique.has(field) || of.length === 0) continue;
      try {
        repaired = (await this.#claim(field, of[0]!, String(id), token, nowMs)).made || repaired;
      } catch (error) {
        if (!(error instanceof Taken)) throw error;
        taken.add(field);
      }
    }
    const partition = this.#store.partitionOf(id);
    const there = entries.length === 0 ? [] : await this.#store.scores(partition, entries);
    const missing = entries.filter((_, at) => !there[at]);
    if (missing.length > 0) await this.#store.enter(partition, missing);
    return repaired || missing.length > 0;
  }

  claimKey(field: string, value: Buffer): string {
    // Numbers in their eight bytes: as text they would have to be read again to be told from a string.
    return this.#store.claimKey(field, value[0] === 0x73 ? value.toString("utf8", 0, value.length - 1) : value.toString("hex"));
  }

  /** Looks through some of a partition's entries for what a crash or an expiry has left behind. */
  async sweep(partition: number): Promise<void> {
    await this.removeDead(partition, await this.#store.sample(partition, SWEPT));
  }

  /** Removes those of the entries that are nobody's any more; how many. */
  async removeDead(partition: number, members: readonly Buffer[]): Promise<number> {
    const nowMs = await this.#now();
    const old = members.flatMap((member) => {
      const entry = readEntry(member);
      return entry !== undefined && nowMs - timeOfToken(entry.token) > DEAD_MS ? [{ member, entry }] : [];
    });
    const dead = await Promise.all(
      old.map(async ({ entry }) => {
        const stored = await this.#store.fields("sweep", entry.id, [MARK + entry.field]);
        const isElsewhere = this.#store.partitionOf(entry.id) !== partition;
        return isElsewhere || !this.#index.has(entry.field) || stored?.get(MARK + entry.field)?.toString() !== entry.token;
      }),
    );
    const removed = old.filter((_, at) => dead[at]).map(({ member }) => member);
    if (removed.length > 0) await this.#store.leave(partition, removed);
    return removed.length;
  }

  /** The record that has this value of a unique field, as far as claims go. */
  async holder(field: string, value: Buffer): Promise<{ readonly id: string; readonly stored: string } | undefined> {
    const stored = await this.#store.holder(this.claimKey(field, value));
    return stored === undefined ? undefined : { id: stored.slice(16), stored };
  }

  /** Gives back a claim whose record does not have its value, once no writer can be on its way. */
  async releaseStale(field: string, value: Buffer, stored: string): Promise<void> {
    if ((await this.#now()) - timeOfToken(stored.slice(0, 16)) > STALE_MS)
      await this.#store.unclaim(this.claimKey(field, value), stored);
  }

  #plan({ id, before, after, whole, without }: IndexedWrite, token: string, nowMs: number): Plan {
    const plan: Plan = { token, marks: new Map(), unmarked: [], added: [], dropped: [], claims: [], released: [], isLost: false };
    for (const field of this.fields) {
      if (without?.has(field)) continue;
      const old = before.keys.get(field) ?? [];
      const next = after.get(field) ?? (whole ? [] : old);
      const had = before.tokens.get(field);
      if (had === undefined && old.length > 0 && this.#index.has(field)) plan.isLost = true;
      if (had !== undefined && this.isFresh(had, nowMs) && areSame(old, next)) {
        if (whole) plan.marks.set(field, had);
        continue;
      }
      if (had !== undefined) this.#gone(id, field, old, had, plan, next);
      if (next.length === 0) {
        if (had !== undefined && !whole) plan.unmarked.push(field);
        continue;
      }
      plan.marks.set(field, token);
      if (this.#index.has(field)) plan.added.push(...next.map((key) => entryOf(field, key, String(id), token)));
      if (this.#unique.has(field)) plan.claims.push({ field, value: next[0]! });
    }
    return plan;
  }

  /** What is left of a field's values that it has no longer. */
  #gone(
    id: Id,
    field: string,
    old: readonly Buffer[],
    token: string,
    to: Pick<Plan, "dropped" | "released">,
    next: readonly Buffer[] = [],
  ): void {
    if (this.#index.has(field)) to.dropped.push(...old.map((key) => entryOf(field, key, String(id), token)));
    const [value] = old;
    // A claim on the same value has the new token by then.
    if (this.#unique.has(field) && value !== undefined && !next[0]?.equals(value))
      to.released.push({ key: this.claimKey(field, value), stored: token + String(id) });
  }

  async #claimAll(plan: Plan, id: string, nowMs: number, undo: (() => Promise<unknown>)[]): Promise<void> {
    const settled = await Promise.allSettled(
      plan.claims.map(async ({ field, value }) => {
        const claimed = await this.#claim(field, value, id, plan.token, nowMs);
        // One that the record had already may be the one that it lives by.
        if (claimed.made) undo.push(() => this.#store.unclaim(claimed.key, claimed.stored));
      }),
    );
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  }

  async #claim(field: string, value: Buffer, id: string, token: string, nowMs: number): Promise<Claimed> {
    const key = this.claimKey(field, value);
    let stale = "";
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await this.#store.claim(key, { token, id, stale });
      if (answer.status !== "held") return { key, stored: token + id, made: answer.status === "made" };
      const holder = await this.#store.fields("write", answer.stored.slice(16), [DATA + field]);
      const [current] = this.indexed(answer.stored.slice(16), holder).keys.get(field) ?? [];
      if (current?.equals(value)) throw new Taken(field, false);
      if (nowMs - timeOfToken(answer.stored.slice(0, 16)) <= STALE_MS) throw new Taken(field, true);
      stale = answer.stored;
    }
    throw new Taken(field, true);
  }

  #leave(partition: number, dropped: readonly Buffer[], released: Plan["released"]): void {
    if (dropped.length > 0) this.#store.background(this.#store.leave(partition, dropped));
    for (const { key, stored } of released) this.#store.background(this.#store.unclaim(key, stored));
  }

  #undo(undo: readonly (() => Promise<unknown>)[]): void {
    for (const each of undo) this.#store.background(each());
  }

  #now(): Promise<number> {
    return ServerClock.of(this.#store.driver).required("records", { op: "records.write" });
  }
}

/** A write that changes nothing but how old what points to the record is. */
export function emptyWrite(op: string, id: Id, before: Indexed, without?: ReadonlySet<string>): IndexedWrite {
  const nothing = { after: new Map(), whole: false, removed: [], layout: [], payload: Buffer.alloc(0), expiring: [] };
  return { op, id, before, ...nothing, ...(without !== undefined && { without }) };
}

class Taken extends Error {
  readonly field: string;
  readonly pending: boolean;

  constructor(field: string, pending: boolean) {
    super(field);
    this.field = field;
    this.pending = pending;
  }
}

function checkUnique(field: string, value: unknown): void {
  const fits = value === undefined || value === null || (!Array.isArray(value) && valueKeys(field, value).length === 1);
  if (!fits || (typeof value === "string" && !value.isWellFormed()))
    throw new InvalidArgumentError(field, "a well-formed string, a number, a boolean or a Date, as it is unique", value);
}

function areSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((key) => b.some((other) => other.equals(key)));
}
