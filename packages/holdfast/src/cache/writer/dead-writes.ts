/** Writes that have failed too often. */
import { listOf } from "../../base/options.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import type { Operations } from "../../core/observe/observe.ts";
import type { WriterCache } from "./port.ts";
import type { WriteLog } from "./write-log.ts";

export interface CacheDeadWrite<V> {
  readonly id: string;
  /** undefined: a removal, or a value that this process cannot read. */
  readonly value: V | undefined;
  readonly version: number;
  readonly attempts: number;
  /** By the server's clock. */
  readonly deadAt: number;
  readonly reason: string;
}

export class CacheDeadWrites<V> {
  readonly #operations: Operations;
  readonly #cache: WriterCache;
  readonly #log: WriteLog;

  constructor(operations: Operations, cache: WriterCache, log: WriteLog) {
    this.#operations = operations;
    this.#cache = cache;
    this.#log = log;
  }

  /** Yields them, in no order. Cost: an HSCAN per page of about 100; in a cluster one at least per slot that has writes. */
  async *entries(): AsyncGenerator<CacheDeadWrite<V>> {
    for await (const { id, version, attempt: attempts, deadAt, reason, removes, payload } of this.#log.buried())
      yield { id, value: removes ? undefined : this.#valueOf(id, payload), version, attempts, deadAt, reason };
  }

  /**
   * Lets them be tried again, all attempts of theirs; returns how many. One that a newer write has replaced is gone by then.
   * Cost: a script each, and `entries` where no ids are given.
   */
  redrive(ids?: Iterable<Id>): Promise<number> {
    return this.#operations.run("writer.redrive", undefined, () => this.#each(ids, (id) => this.#log.redrive(id)));
  }

  /** Forgets them: the database does not get these writes. Returns how many. Cost: HDEL each. */
  delete(ids: Iterable<Id>): Promise<number> {
    return this.#operations.run("writer.delete", undefined, () => this.#each(ids, (id) => this.#log.discard(id)));
  }

  async #each(ids: Iterable<Id> | undefined, change: (id: Id) => Promise<boolean>): Promise<number> {
    const wanted = ids === undefined ? undefined : listOf("ids", ids, "ids");
    // Refuses what is no id, before the first is changed.
    for (const id of wanted ?? []) this.#cache.key(id);
    await this.#log.known();
    let changed = 0;
    if (wanted !== undefined) {
      for (const id of wanted) if (await change(id)) changed += 1;
      return changed;
    }
    for await (const { id } of this.#log.buried()) if (await change(id)) changed += 1;
    return changed;
  }

  #valueOf(id: string, payload: Buffer): V | undefined {
    try {
      return this.#cache.decode(this.#cache.key(id), payload) as V;
    } catch {
      return undefined;
    }
  }
}
