/** Loads that are done together: one call of `loadMany` for all entries that are found missing. */
import { types } from "node:util";
import { onAbort } from "../base/abort.ts";
import { Deferred } from "../base/deferred.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { nextTick } from "../base/runtime.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { CacheLoadContext, CacheLoadMany } from "./load.ts";

/** As many as `loadMany` gets at most. */
export const IDS_PER_LOAD = 1_000;

interface Asked extends Deferred<unknown> {
  readonly id: Id;
  readonly signal: AbortSignal;
}

export class BulkLoad {
  readonly #loadMany: CacheLoadMany<unknown>;
  readonly #open: Set<Id>;
  #asked: Asked[] = [];
  #isDue = false;

  /** @param open ids of which it is not known yet whether they are to be loaded: `loadMany` is called once all of them are known */
  constructor(loadMany: CacheLoadMany<unknown>, open?: Iterable<Id>) {
    this.#loadMany = loadMany;
    this.#open = new Set(open);
  }

  readonly load = ({ id, signal }: Pick<CacheLoadContext, "id" | "signal">): Promise<unknown> => {
    const asked = Object.assign(new Deferred<unknown>(), { id, signal });
    this.#asked.push(asked);
    this.known(id);
    return asked.promise;
  };

  /** Whether `id` is loaded here is known by now. */
  known(id: Id): void {
    this.#open.delete(id);
    if (this.#open.size > 0 || this.#asked.length === 0 || this.#isDue) return;
    this.#isDue = true;
    nextTick(() => {
      const due = this.#asked;
      this.#asked = [];
      this.#isDue = false;
      for (let at = 0; at < due.length; at += IDS_PER_LOAD) void this.#begin(due.slice(at, at + IDS_PER_LOAD));
    });
  }

  async #begin(asked: readonly Asked[]): Promise<void> {
    try {
      const values = await this.#loadMany(
        asked.map(({ id }) => id),
        { signal: whenAllHaveFired(asked.map(({ signal }) => signal)) },
      );
      if (!types.isMap(values)) throw new InvalidArgumentError("loadMany", "a Map of values by id", values);
      // 7 and "7" are the same entry.
      const byName = new Map(Array.from(values as Map<Id, unknown>, ([id, value]) => [String(id), value]));
      for (const { id, resolve, reject } of asked) {
        const value = byName.get(String(id));
        if (value instanceof Error || types.isNativeError(value)) reject(value);
        else resolve(value);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

function whenAllHaveFired(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  const waiting = signals.filter(({ aborted }) => !aborted);
  let left = waiting.length;
  if (left === 0) all.abort(signals[0]?.reason);
  for (const signal of waiting) onAbort(signal, (reason) => (left -= 1) === 0 && all.abort(reason));
  return all.signal;
}
