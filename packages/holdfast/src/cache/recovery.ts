/**
 * Invalidations that failed because the server was away: kept in this process, and sent once it is back, before anything that they would have removed
 * is served here.
 *
 *     delete fails ---> kept ---> sent, with pauses, until the server takes it ---> forgotten
 *                        |
 *                        +-- a read, or a change, of the entry: sent first; while that fails the server counts as away
 *
 * They are idempotent, so that one which was carried out although its answer was lost is sent again. They are merged: one of an entry, each tag once; where
 * there are too many, all entries of the cache are invalidated instead. A process that dies takes them with it.
 */
import { ClosedError, isOutage, UnavailableError } from "../base/errors.ts";
import { sleep, within } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Coherence } from "./l1/coherence.ts";
import type { Invalid } from "./l1/memory.ts";
import type { Versions } from "./versions/versions.ts";

/** What was to be done to one entry: to remove it, or to put it into its grace. It is done as the cache object says that was asked to. */
export interface EntryInvalidation {
  readonly kind: "delete" | "expire";
  readonly key: string;
  send(): Promise<unknown>;
}

/** What the handle's caches of one name have in common. */
interface Shared {
  readonly versions: Versions;
  /** By which memory learns what is invalid. */
  readonly coherence: Coherence;
}

const MAX_KEPT = 10_000;
const PER_ROUND = 256;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

const all = new WeakMap<Core, Map<string, Recovery>>();

export class Recovery {
  readonly #core: Core;
  readonly #cache: string;
  readonly #shared: Shared;
  /** By its key. */
  readonly #entries = new Map<string, EntryInvalidation>();
  readonly #tags = new Set<string>();
  readonly #prefixes = new Set<string>();
  #clears = false;
  /** Rises with each that is added: what was added while others were sent is not forgotten with them. */
  #added = 0;
  #sending: Promise<void> | undefined;
  /** For invalidations of several entries: the longest of the cache objects of the name. */
  #timeoutMs = 0;
  #stop: AbortController | undefined;

  private constructor(core: Core, cache: string, shared: Shared) {
    this.#core = core;
    this.#cache = cache;
    this.#shared = shared;
  }

  /** That of the handle for the cache of this name. */
  static of(core: Core, cache: string, shared: Shared, timeoutMs: number): Recovery {
    let known = all.get(core);
    if (known === undefined) all.set(core, (known = new Map()));
    let recovery = known.get(cache);
    if (recovery === undefined) known.set(cache, (recovery = new Recovery(core, cache, shared)));
    recovery.#timeoutMs = Math.max(recovery.#timeoutMs, timeoutMs);
    return recovery;
  }

  /** How many are kept. */
  get size(): number {
    return this.#entries.size + this.#several;
  }

  /** Of them, those that are about several entries. */
  get #several(): number {
    return this.#tags.size + this.#prefixes.size + (this.#clears ? 1 : 0);
  }

  /** Whether one that is kept may be about this entry. */
  concerns(key: string): boolean {
    return this.size > 0 && (this.#several > 0 || this.#entries.has(key));
  }

  /** Keeps the invalidation if `send` fails because the server is away, which rejects all the same. */
  async kept<R>(failed: () => EntryInvalidation | Invalid, send: () => Promise<R>): Promise<R> {
    try {
      return await send();
    } catch (error) {
      if (isOutage(error)) this.add(failed());
      throw error;
    }
  }

  add(invalidation: EntryInvalidation | Invalid): void {
    this.#added += 1;
    if (invalidation !== "all" && "kind" in invalidation) this.#addEntry(invalidation);
    else this.#addSeveral(invalidation);
    if (this.size > MAX_KEPT) this.#addSeveral("all");
    if (this.#stop === undefined) this.#begin();
  }

  /** Resolves once none is kept that is about this entry: for an operation on it, which fails if they cannot be sent within its time. */
  async settled(key: string, { op, id, timeoutMs }: { op: string; id: Id; timeoutMs: number }): Promise<void> {
    const sent = async (): Promise<void> => {
      while (this.concerns(key)) await this.#send();
    };
    let cause: unknown;
    try {
      // Others of this name may have more time for it.
      if ((await within(this.#core.driver.runtime, timeoutMs, sent())) === "ended") return;
    } catch (error) {
      if (!isOutage(error)) throw error;
      cause = error;
    }
    const message = `${op} ${JSON.stringify(id)}: not executed, as an invalidation that had failed goes first, and still cannot be sent`;
    throw new UnavailableError(message, { op, key: String(id), cause });
  }

  #addEntry(invalidation: EntryInvalidation): void {
    const { kind, key } = invalidation;
    // What was to be removed must not be served in its grace.
    const isRemoved = kind === "expire" && this.#entries.get(key)?.kind === "delete";
    if (!this.#clears && !isRemoved) this.#entries.set(key, invalidation);
  }

  #addSeveral(invalid: Invalid): void {
    this.#shared.coherence.forgetInvalid(invalid);
    if (this.#clears) return;
    if (invalid === "all") {
      for (const kept of [this.#entries, this.#tags, this.#prefixes]) kept.clear();
      this.#clears = true;
    } else if ("prefix" in invalid) this.#prefixes.add(invalid.prefix);
    else for (const tag of invalid.tags) this.#tags.add(tag);
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    if (this.#clears) await this.#sendOne("all", () => (this.#clears = false));
    for (const prefix of this.#prefixes) await this.#sendOne({ prefix }, () => this.#prefixes.delete(prefix));
    const tags = [...this.#tags].slice(0, PER_ROUND);
    if (tags.length > 0) await this.#sendOne({ tags }, () => tags.forEach((tag) => this.#tags.delete(tag)));
    const entries = [...this.#entries].slice(0, PER_ROUND);
    const outcomes = await Promise.allSettled(entries.map(([key]) => this.#sendEntry(key)));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #sendOne(invalid: Invalid, forget: () => void): Promise<void> {
    const added = this.#added;
    const call = { op: "cache.clear", timeoutMs: this.#timeoutMs, patienceMs: this.#timeoutMs };
    await this.#unlessRefused(() => this.#shared.versions.invalidate(invalid, call));
    if (added === this.#added) forget();
  }

  async #sendEntry(key: string): Promise<void> {
    const invalidation = this.#entries.get(key)!;
    await this.#unlessRefused(() => invalidation.send());
    if (this.#entries.get(key) === invalidation) this.#entries.delete(key);
  }

  /** What will not be taken later either must not stand in the way of reads for ever. */
  async #unlessRefused(send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (isOutage(error) || error instanceof ClosedError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      process.emitWarning(`cache ${JSON.stringify(this.#cache)}: an invalidation that was kept is given up: ${said}`);
    }
  }

  #begin(): void {
    const stop = new AbortController();
    this.#stop = stop;
    const ended = this.#retry(stop.signal);
    const disown = this.#core.own({ close: () => (stop.abort(), ended) });
    void ended.then(disown);
  }

  async #retry(signal: AbortSignal): Promise<void> {
    const { runtime } = this.#core.driver;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.size > 0 && !signal.aborted) {
      await sleep(runtime, pauseMs, signal);
      // Also once more when the handle is closed.
      const failure: unknown = await this.#send().catch((error: unknown) => error);
      if (failure instanceof ClosedError) break;
      pauseMs = failure === undefined ? 0 : Math.min(Math.max(pauseMs, FIRST_PAUSE_MS) * 2, LONGEST_PAUSE_MS);
    }
    this.#stop = undefined;
    if (this.size === 0) return;
    const what = `${this.size} ${this.size === 1 ? "invalidation" : "invalidations"}`;
    process.emitWarning(
      `cache ${JSON.stringify(this.#cache)}: closed before ${what} could be sent; others are served the old value until its ttl ends`,
    );
  }
}
