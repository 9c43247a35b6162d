/** What scripts take that store an entry. */
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { type About, headOf } from "./entry.ts";
import type { CacheSettings } from "./options.ts";
import type { ExpireArgs } from "./scripts.gen.ts";
import { timesOf } from "./ttl.ts";
import type { Versions } from "./versions/versions.ts";

/** What is to be stored. */
export interface NewEntry {
  readonly payload: Buffer;
  /** Undefined: the cache's, less some jitter. */
  readonly ttlMs: number | undefined;
  readonly graceMs: number;
  /** `Versions.sequence` before its value was read. */
  readonly sequence: number;
  readonly about: About | undefined;
}

type Times = ReturnType<typeof timesOf>;
type StoredArgs = Times & { readonly head: Buffer; readonly payload: Buffer };
type CommonArgs = { readonly wakeChannel: string; readonly id: string };

export class EntryArgs {
  readonly #core: Core;
  readonly #settings: CacheSettings;
  readonly #versions: Versions;

  constructor(core: Core, settings: CacheSettings, versions: Versions) {
    this.#core = core;
    this.#settings = settings;
    this.#versions = versions;
  }

  of(id: Id, entry: NewEntry): StoredArgs & CommonArgs {
    return { ...this.entry(entry), ...this.common(id) };
  }

  entry({ payload, ttlMs, graceMs, sequence, about }: NewEntry): StoredArgs {
    return { ...this.#times(ttlMs, graceMs), head: headOf(sequence, graceMs > 0, about), payload };
  }

  touched(id: Id, ttlMs: number | undefined): Times & { readonly id: string } {
    return { ...this.#times(ttlMs, this.#settings.graceMs), id: this.#listed(id) };
  }

  expired(): ExpireArgs {
    return { graceMs: this.#settings.graceMs, wakeChannel: this.#core.wakeups.channel };
  }

  common(id: Id): CommonArgs {
    return { wakeChannel: this.#core.wakeups.channel, id: this.#listed(id) };
  }

  /** As the index has it. */
  #listed(id: Id): string {
    return this.#settings.index ? String(id) : "";
  }

  #times(ttlMs: number | undefined, graceMs: number): Times {
    const freshMs = ttlMs ?? this.#jittered(this.#settings.ttlMs);
    if (freshMs === Number.POSITIVE_INFINITY) this.#versions.keepForEver();
    return timesOf(freshMs, freshMs + graceMs);
  }

  /** Up to the share `jitter` shorter, so that what was stored together does not expire together. */
  #jittered(ttlMs: number): number {
    return Math.max(1, Math.round(ttlMs * (1 - this.#core.driver.runtime.random() * this.#settings.jitter)));
  }
}
