/**
 * How a change of entries goes out.
 *
 *     callers from now on join no load that may have read what is changed
 *     what is invalid is known, or asked for first ... else the change fails as while the server is away
 *     an invalidation that had failed goes first (recovery.ts)
 *     the change itself
 *     an invalidation that fails is kept, and sent once the server is back
 */
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Invalid } from "./l1/memory.ts";
import type { Loader } from "./loader.ts";
import type { CacheSettings } from "./options.ts";
import type { EntryInvalidation } from "./recovery.ts";
import type { CacheStore } from "./store.ts";

export class Changes {
  readonly #store: CacheStore;
  readonly #loader: Loader;
  readonly #autoRecovery: boolean;

  constructor(store: CacheStore, loader: Loader, { autoRecovery }: CacheSettings) {
    this.#store = store;
    this.#loader = loader;
    this.#autoRecovery = autoRecovery;
  }

  /** @param change sends it */
  async make<R>(op: string, id: Id, change: () => Promise<R>): Promise<R> {
    const key = this.#store.key(id);
    this.#loader.detach(key);
    const { validity } = this.#store;
    try {
      if (!validity.isReady) await validity.ready(op);
      if (validity.concerns(key)) await validity.settled(op, id, key);
    } catch (error) {
      // What is written through goes on with the database.
      if (op !== "cache.write" || !this.#loader.goesOn(error)) throw error;
    }
    return change();
  }

  /** Returns whether there was a value. */
  delete(id: Id): Promise<boolean> {
    const send = () => this.make("cache.delete", id, () => this.#store.delete(id));
    return this.#kept(() => this.#store.failed("delete", id), send);
  }

  /** Returns whether there was a value. */
  expire(id: Id): Promise<boolean> {
    const send = () => this.make("cache.expire", id, () => this.#store.expire(id));
    return this.#kept(() => this.#store.failed("expire", id), send);
  }

  invalidate(op: string, invalid: Invalid): Promise<void> {
    const send = async (): Promise<void> => {
      const { validity } = this.#store;
      if (!validity.isReady) await validity.ready(op);
      await this.#store.invalidate(op, invalid);
    };
    return this.#kept(() => invalid, send);
  }

  #kept<R>(failed: () => EntryInvalidation | Invalid, send: () => Promise<R>): Promise<R> {
    return this.#autoRecovery ? this.#store.recovery.kept(failed, send) : send();
  }
}
