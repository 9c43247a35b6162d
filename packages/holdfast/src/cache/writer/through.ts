/**
 * Writing through: the entry is removed and its right to be loaded taken, then the database is written, then the entry is stored.
 *
 * So a process that dies at any point leaves no old value behind, a load that began before is refused, and of two writes at once neither stores what the
 * other has overwritten: the first one's right was taken by the second, and it removes the entry instead.
 * Where the server is away the database is written all the same (unless `onOutage` is "throw"), and the entry is removed as soon as the server is back.
 */
import { isOutage } from "../../base/errors.ts";
import type { Timer } from "../../base/runtime.ts";
import type { BatchKind } from "../../core/batch/lane.ts";
import { orThrow, scriptKind } from "../../core/batch/script-kind.ts";
import type { Core } from "../../core/core.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import type { BatchItem } from "../../core/script/run.ts";
import { attempt } from "./attempt.ts";
import type { CacheWrite } from "./options.ts";
import type { WriterCache } from "./port.ts";
import { hold, type HoldArgs, type HoldKeys } from "./scripts.gen.ts";

/** What is to be stored once the database has it. */
interface Kept {
  readonly id: Id;
  readonly token: string;
  readonly payload: Buffer | undefined;
  readonly ttlMs: number | undefined;
  readonly sequence: number;
}

export class Through {
  readonly #core: Core;
  readonly #cache: WriterCache;
  readonly #write: CacheWrite<unknown>;
  readonly #timeoutMs: number;
  readonly #kind: BatchKind<BatchItem<HoldKeys, HoldArgs>, number>;
  /** The last write of each key that is under way here. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #stop = new AbortController();

  constructor(core: Core, cache: WriterCache, write: CacheWrite<unknown>, timeoutMs: number) {
    this.#core = core;
    this.#cache = cache;
    this.#write = write;
    this.#timeoutMs = timeoutMs;
    this.#kind = scriptKind(core.driver, hold, { op: "cache.write", timeoutMs: cache.timeoutMs }, orThrow);
    core.own({ close: async () => this.#stop.abort() });
  }

  /** Returns whether the cache has it; after the writes of the same key that were begun here before. */
  write(
    id: Id,
    value: unknown,
    ttlMs: number | undefined,
  ): Promise<{ readonly version: number; readonly isCached: boolean }> {
    const key = this.#cache.key(id);
    const payload = value === undefined ? undefined : this.#cache.encode(key, value);
    const one = () => this.#writeOne(id, key, payload, ttlMs);
    const before = this.#last.get(key);
    const written = before === undefined ? one() : before.then(one, one);
    this.#last.set(key, written);
    const forget = (): void => void (this.#last.get(key) === written && this.#last.delete(key));
    written.then(forget, forget);
    return written;
  }

  async #writeOne(id: Id, key: string, payload: Buffer | undefined, ttlMs: number | undefined) {
    const token = `${this.#core.driver.runtime.randomUUID()}.1`;
    this.#cache.changed(key);
    const version = await this.#hold(id, key, token);
    const sequence = this.#cache.sequence();
    const renewal = version === 0 ? undefined : this.#renew(id, token);
    try {
      // What is stored is what is decoded from these bytes, for everybody.
      const value = payload === undefined ? undefined : this.#cache.decode(key, payload);
      const entries = [{ id: String(id), value, version, attempt: 1 }];
      const terms = { timeoutMs: this.#timeoutMs, stop: this.#stop.signal };
      const failed = await attempt(this.#core.driver.runtime, this.#write, entries, terms);
      if (failed.has(String(id))) throw failed.get(String(id));
    } catch (error) {
      // It may be in the database all the same: the entry is not kept, and who asks loads it.
      this.#release(id, token, version !== 0);
      throw error;
    } finally {
      this.#core.driver.runtime.clearInterval(renewal);
      this.#cache.changed(key);
    }
    return { version, isCached: await this.#keep({ id, token, payload, ttlMs, sequence }, version !== 0) };
  }

  /** The write's version; 0 where the server is away. */
  async #hold(id: Id, key: string, token: string): Promise<number> {
    const args = { token, leaseMs: this.#cache.loadLeaseMs };
    const keys = { value: key, lease: this.#cache.leaseKey(id) };
    try {
      return await this.#cache.lane.add(this.#kind, this.#core.driver.slotOf(key), { keys, args, key: String(id) });
    } catch (error) {
      if (!isOutage(error) || !this.#cache.goesOn) throw error;
      return 0;
    }
  }

  async #keep({ id, token, payload, ttlMs, sequence }: Kept, isHeld: boolean): Promise<boolean> {
    try {
      if (payload !== undefined && isHeld && (await this.#cache.fill(id, token, payload, ttlMs, sequence))) return true;
      await this.#cache.delete(id);
      return payload === undefined;
    } catch {
      // The database has it: what failed is only the cache's part.
      this.#cache.deleteLater(id);
      return false;
    }
  }

  #release(id: Id, token: string, isHeld: boolean): void {
    if (isHeld) this.#cache.abandon(id, token).catch(() => undefined);
    else this.#cache.deleteLater(id);
  }

  #renew(id: Id, token: string): Timer {
    const { runtime } = this.#core.driver;
    const renew = (): void => void this.#cache.extend(id, token).catch(() => undefined);
    const timer = runtime.setInterval(renew, this.#cache.loadLeaseMs / 3);
    timer.unref();
    return timer;
  }
}
