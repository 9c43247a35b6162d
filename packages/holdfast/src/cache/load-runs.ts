/** Calls of a user's loader: with a deadline, called off when the handle is closed, no more at a time than `maxLoads`. */
import { Deferred } from "../base/deferred.ts";
import { Doors } from "../base/door.ts";
import { ClosedError, type HoldfastError, TimeoutError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { aboutOf, MISS } from "./entry.ts";
import { type CacheLoad, LoadContext, Pending } from "./load.ts";
import type { CacheSettings } from "./options.ts";
import type { Outcomes } from "./outcomes.ts";
import { Room } from "./room.ts";

export interface LoadRequest {
  readonly id: Id;
  readonly key: string;
  readonly load: CacheLoad<unknown>;
  readonly tags: readonly string[] | undefined;
  /** The entry that the caller has found, where there was one. */
  readonly known: Buffer | undefined;
}

/** What came of a load. */
export interface LoadOutcome {
  readonly value: unknown;
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly etag: string | undefined;
  readonly isSkipped: boolean;
  /** Whether it is a write that waits for the database: the loader was not called. */
  readonly isPending: boolean;
  readonly tookMs: number;
}

/** Loaders under way, by their keys: two caches of one name in one handle share them. */
const loaders = new WeakMap<Core, Doors>();

export class LoadRuns {
  readonly doors: Doors;
  readonly #core: Core;
  readonly #settings: CacheSettings;
  readonly #outcomes: Outcomes;
  readonly #decode: (key: string, stored: Buffer) => unknown;
  readonly #room: Room;

  constructor(
    core: Core,
    settings: CacheSettings,
    outcomes: Outcomes,
    decode: (key: string, stored: Buffer) => unknown,
  ) {
    this.#core = core;
    this.#settings = settings;
    this.#outcomes = outcomes;
    this.#decode = decode;
    this.#room = new Room(settings.maxLoads);
    this.doors = loaders.get(core) ?? new Doors();
    loaders.set(core, this.doors);
  }

  async run({ id, key, load, known, tags }: LoadRequest, abort: AbortController): Promise<LoadOutcome> {
    const { runtime } = this.#core.driver;
    const { loadTimeoutMs } = this.#settings;
    const ended = new Deferred<never>();
    const end = (error: HoldfastError): void => {
      abort.abort(error);
      ended.reject(error);
    };
    const giveUp = (): void => end(overdue(id, "the loader took longer than loadTimeout", loadTimeoutMs));
    const timer = runtime.setTimeout(giveUp, loadTimeoutMs);
    const disown = this.#core.own({ close: async () => end(new ClosedError(undefined, detailsOf(id))) });
    const previous = (): unknown => {
      const value = known === undefined ? MISS : this.#decode(key, known);
      return value === MISS ? undefined : value;
    };
    const etag = known === undefined ? undefined : aboutOf(known)?.e;
    const context = new LoadContext({ id, signal: abort.signal, tags, etag, previous });
    const { counts } = this.#outcomes;
    const entering = this.#room.enter();
    let began: number | undefined;
    try {
      await Promise.race([entering, ended.promise]);
      counts.loads += 1;
      began = runtime.now();
      const loaded = await Promise.race([this.doors.enter([key], () => load(context)), ended.promise]);
      const asked = context.asked();
      const tookMs = runtime.now() - began;
      const isPending = loaded instanceof Pending;
      if (!isPending) this.#outcomes.load(id, tookMs);
      return { value: isPending ? loaded.value : loaded, ...asked, isSkipped: context.isSkipped, isPending, tookMs };
    } catch (error) {
      counts.loadErrors += 1;
      if (began !== undefined) this.#outcomes.load(id, runtime.now() - began, error);
      throw error;
    } finally {
      void entering.then((leave) => leave());
      runtime.clearTimeout(timer);
      disown();
    }
  }
}

export function overdue(id: Id, what: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`${what} (${timeoutMs} ms)`, detailsOf(id));
}

export function detailsOf(id: Id): { op: string; key: string } {
  return { op: "cache.getOrSet", key: String(id) };
}
