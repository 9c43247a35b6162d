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
import { unknownAfterRepeat } from "../../core/update/compare-and-set.ts";
import type { IndexStore } from "./store.ts";
import { canBeUnique, checkUnique, Claims, Taken } from "./claims.ts";
import { Sweeper } from "./sweeper.ts";
import { entryOf, isNull, storedKeys, timeOfToken, tokenOf, valueKeys } from "./entry.ts";

export const COMMIT_WITHIN_MS = 30_000;
/** Of a creation whose answers are lost. */
const MAX_ATTEMPTS = 5;
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
  readonly claims: Claims;
  readonly sweeper: Sweeper;
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
    this.sweeper = new Sweeper(store, this.#index);
    this.claims = new Claims(store, async (id, field) => this.#valueOf(id, field));
  }

  isUnique(field: string): boolean {
    return this.#unique.has(field);
  }

  isIndexed(field: string): boolean {
    return this.#index.has(field);
  }

  /** Which of a field's keys is claimed; null is nobody's, also where it is in an index. */
  claimedOf(field: string, [key]: readonly Buffer[]): Buffer | undefined {
    return key !== undefined && this.isUnique(field) && !isNull(key) ? key : undefined;
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
    const keys = this.#storedKeys(this.#decode(id, values));
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
    return this.#keysBy(values, (field, value) => {
      if (this.isUnique(field)) checkUnique(field, value);
      return valueKeys(field, value);
    });
  }

  /** As `keysOf`; what was stored before there was an index or a constraint, and can be in none, has no keys. */
  #storedKeys(values: Readonly<Record<string, unknown>>): Map<string, Buffer[]> {
    return this.#keysBy(values, (field, value) =>
      this.isUnique(field) && !canBeUnique(value) ? [] : storedKeys(value),
    );
  }

  #keysBy(
    values: Readonly<Record<string, unknown>>,
    keysOf: (field: string, value: unknown) => Buffer[],
  ): Map<string, Buffer[]> {
    const keys = new Map<string, Buffer[]>();
    for (const field of this.fields) {
      if (!Object.hasOwn(values, field)) continue;
      const value = values[field];
      keys.set(field, this.isIndexed(field) || value !== null ? keysOf(field, value) : []);
    }
    return keys;
  }

  isFresh(token: string, nowMs: number): boolean {
    return nowMs - timeOfToken(token) <= this.#store.settings.ttlMs / 2;
  }

  /** What points to the record lives on with it. To be called after a write that changed nothing of it. */
  async refresh(id: Id, tokens: ReadonlyMap<string, string>): Promise<void> {
    const nowMs = await this.now();
    if ([...tokens.values()].every((token) => this.isFresh(token, nowMs))) return;
    const current = await this.read("write", id);
    if (current.version > 0) await this.write(emptyWrite("records.write", id, current));
  }

  async write(given: IndexedWrite): Promise<IndexedResult> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const result = await this.#attempt(given);
      if (result !== undefined) return result;
    }
    throw unknownAfterRepeat(given.op, String(given.id));
  }

  /** Undefined: it may have made a record that is deleted by now, and what pointed to it is gone. */
  async #attempt(given: IndexedWrite): Promise<IndexedResult | undefined> {
    const { op, id, before } = given;
    const nowMs = await this.now();
    const plan = this.#plan(given, tokenOf(this.#store.driver.runtime, nowMs), nowMs);
    const partition = this.#store.partitionOf(id);
    const text = String(id);
    const undo: (() => Promise<unknown>)[] = [];
    try {
      if (plan.added.length > 0 || plan.isLost) {
        undo.push(() => this.#store.leave(partition, plan.added));
        await Promise.all([
          this.#store.enter(partition, plan.added, plan.isLost),
          this.#claimAll(plan, text, nowMs, undo),
        ]);
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
    // Not undone: if it is executed late, its entries are there.
    if (answer.status === "again") return undefined;
    if (answer.status !== "ok") {
      this.#undo(undo);
      return { status: "conflict", version: answer.status === "conflict" ? answer.version : before.version };
    }
    this.#leave(partition, plan.dropped, plan.released);
    if (plan.added.length > 0) this.sweeper.keepPace(partition, plan.added.length - plan.dropped.length);
    return answer;
  }

  /** Deletes the record, and what points to it. */
  async delete(id: Id): Promise<boolean> {
    const stored = await this.#store.take(id, this.names);
    if (stored === undefined) return false;
    const dropped: Buffer[] = [];
    const released: Plan["released"] = [];
    try {
      const { keys, tokens } = this.indexed(id, stored);
      for (const [field, token] of tokens) this.#gone(id, field, keys.get(field) ?? [], token, { dropped, released });
    } catch {
      // What cannot be read is deleted all the same; what points to it is nobody's, and found out as what a crash leaves.
    }
    this.#leave(this.#store.partitionOf(id), dropped, released);
    return true;
  }

  #plan({ id, before, after, whole, without }: IndexedWrite, token: string, nowMs: number): Plan {
    const plan: Plan = {
      token,
      marks: new Map(),
      unmarked: [],
      added: [],
      dropped: [],
      claims: [],
      released: [],
      isLost: false,
    };
    for (const field of this.fields) {
      if (without?.has(field)) continue;
      const old = before.keys.get(field) ?? [];
      const next = after.get(field) ?? (whole ? [] : old);
      const had = before.tokens.get(field);
      if (had === undefined && old.length > 0 && this.isIndexed(field)) plan.isLost = true;
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
      if (this.isIndexed(field)) plan.added.push(...next.map((key) => entryOf(field, key, String(id), token)));
      const claimed = this.claimedOf(field, next);
      if (claimed !== undefined) plan.claims.push({ field, value: claimed });
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
    if (this.isIndexed(field)) to.dropped.push(...old.map((key) => entryOf(field, key, String(id), token)));
    const value = this.claimedOf(field, old);
    // A claim on the same value has the new token by then.
    if (value !== undefined && !next[0]?.equals(value))
      to.released.push({ key: this.claims.keyOf(field, value), stored: token + String(id) });
  }

  async #claimAll(plan: Plan, id: string, nowMs: number, undo: (() => Promise<unknown>)[]): Promise<void> {
    const settled = await Promise.allSettled(
      plan.claims.map(async ({ field, value }) => {
        const claimed = await this.claims.claim(field, value, id, plan.token, nowMs);
        // One that the record had already may be the one that it lives by.
        if (claimed.made) undo.push(() => this.#store.unclaim(claimed.key, claimed.stored));
      }),
    );
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  }

  async #valueOf(id: string, field: string): Promise<Buffer | undefined> {
    return this.indexed(id, await this.#store.fields("write", id, [DATA + field])).keys.get(field)?.[0];
  }

  #leave(partition: number, dropped: readonly Buffer[], released: Plan["released"]): void {
    if (dropped.length > 0) this.#store.background(this.#store.leave(partition, dropped));
    for (const { key, stored } of released) this.#store.background(this.#store.unclaim(key, stored));
  }

  #undo(undo: readonly (() => Promise<unknown>)[]): void {
    for (const each of undo) this.#store.background(each());
  }

  now(): Promise<number> {
    return ServerClock.of(this.#store.driver).required("records", { op: "records.write" });
  }
}

/** A write that changes nothing but how old what points to the record is. */
export function emptyWrite(op: string, id: Id, before: Indexed, without?: ReadonlySet<string>): IndexedWrite {
  const nothing = { after: new Map(), whole: false, removed: [], layout: [], payload: Buffer.alloc(0), expiring: [] };
  return { op, id, before, ...nothing, ...(without !== undefined && { without }) };
}

function areSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((key) => b.some((other) => other.equals(key)));
}
