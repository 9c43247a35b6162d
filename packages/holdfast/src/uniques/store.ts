/** The server's side of uniques: which calls share a script, and what is read together. */
import { CodecError, HoldfastError } from "../base/errors.ts";
import { grouped } from "../core/batch/grouped.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { runMerged, type UnclassedCall } from "../core/script/run.ts";
import type { Window } from "../core/window/windows.ts";
import type { Driver, Reply } from "../driver/port.ts";
import type { UniquesSettings } from "./options.ts";
import { add, type AddArgs, type AddKeys, type AddResult } from "./scripts.gen.ts";

interface Add {
  readonly id: Id;
  readonly key: string;
  readonly hash: Buffer;
  readonly expiresAt: number;
}

/** Hashes in one script; each costs the server between 0.3 and 4 us. */
const MAX_HASHES = 256;
/** Windows in one MGET, of up to 12 KB each. */
const MAX_READS = 64;
/** Keys in one UNLINK. */
const UNLINKED = 512;

export class UniquesStore {
  readonly #driver: Driver;
  readonly #settings: UniquesSettings;
  readonly #keys: EntryKeys;
  readonly #name: string;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, void>;
  readonly #reads: BatchKind<KeyRead, Buffer | null>;

  constructor(core: Core, name: string, settings: UniquesSettings) {
    this.#driver = core.driver;
    this.#settings = settings;
    this.#name = name;
    this.#keys = core.keys.entries("uniques", name);
    this.#adds = { maxItems: MAX_HASHES, run: (group) => void this.#addGroup(group) };
    const reads = readKind(this.#driver, { ...this.#call("count"), class: "read" }, bytesOrThrow);
    this.#reads = { ...reads, maxItems: MAX_READS };
  }

  /** @param window undefined where there are no windows */
  keyOf(id: Id, window: Window | undefined): string {
    const { windows } = this.#settings.span;
    if (window === undefined || windows === undefined) return this.#keys.key(id);
    return this.#keys.part(id, `${windows.label}:${window.number}`);
  }

  /** @param expiresAt of the window; 0 where there are none */
  add(id: Id, key: string, hash: Buffer, expiresAt: number): Promise<void> {
    return this.#lane.add(this.#adds, this.#driver.slotOf(key), { id, key, hash, expiresAt });
  }

  read(id: Id, key: string): Promise<Buffer | null> {
    return this.#lane.add(this.#reads, this.#driver.slotOf(key), { key, id });
  }

  /** Of keys of one id, how many there were. */
  async unlink(id: Id, keys: readonly string[]): Promise<number> {
    this.#lane.flush(this.#driver.slotOf(keys[0]!));
    const call = { ...this.#call("remove"), key: String(id), class: "idempotent" } as const;
    let removed = 0;
    for (let at = 0; at < keys.length; at += UNLINKED)
      removed += Number(await this.#driver.send(["UNLINK", ...keys.slice(at, at + UNLINKED)], call, keys[0]));
    return removed;
  }

  /** What one window is given goes in one piece. */
  async #addGroup(group: readonly Pending<Add, void>[]): Promise<void> {
    const { span } = this.#settings;
    const ttlMs = span.windows === undefined ? span.ttlMs : 0;
    const byKey = [...grouped(group, ({ item }) => item.key).values()];
    const items = byKey.map((pendings) => {
      const { id, key, expiresAt } = pendings[0]!.item;
      const hashes = Buffer.concat(pendings.map(({ item }) => item.hash));
      return { keys: { window: key }, args: { hashes, expiresAt, ttlMs }, key: String(id) };
    });
    const outcomes = await runMerged<AddKeys, AddArgs, AddResult>(this.#driver, add, items, this.#call("add"));
    for (const [at, pendings] of byKey.entries()) {
      const failure = failureOf(outcomes[at]!, items[at]!.keys.window);
      for (const pending of pendings) {
        if (failure === undefined) pending.resolve();
        else pending.reject(failure);
      }
    }
  }

  #call(operation: string): UnclassedCall {
    return { op: `uniques.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}

function failureOf(outcome: AddResult | HoldfastError, key: string): HoldfastError | undefined {
  if (outcome instanceof HoldfastError) return outcome;
  if (outcome.status === "ok") return undefined;
  return new CodecError("foreign", `${key}: the key holds no uniques`, { key });
}

const bytesOrThrow = (outcome: Reply | HoldfastError): Buffer | null => {
  const reply = orThrow(outcome);
  return Buffer.isBuffer(reply) ? reply : null;
};
