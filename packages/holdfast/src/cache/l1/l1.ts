/** The first level: what this process keeps in its own memory, for as long as it learns what changes. */
import type { Runtime } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { aboutOf, freshUntil, MISS, payloadOf, sequenceOf } from "../entry.ts";
import type { CacheL1Stats } from "../stats.ts";
import type { Coherence } from "./coherence.ts";
import { frozen } from "./freeze.ts";
import { type Kept, Memory } from "./memory.ts";
import type { Versions } from "../versions/versions.ts";
import type { L1Settings } from "./options.ts";

/** What the handle's caches of one name have in common. */
interface Shared {
  readonly coherence: Coherence;
  readonly versions: Versions;
}

type Decode = (key: string, bytes: Buffer) => unknown;

export class L1 {
  readonly #runtime: Runtime;
  readonly #memory: Memory;
  readonly #coherence: Coherence;
  readonly #versions: Versions;
  readonly #freezes: boolean;
  readonly #decode: Decode;

  constructor(core: Core, { coherence, versions }: Shared, settings: L1Settings, decode: Decode) {
    this.#runtime = core.driver.runtime;
    this.#memory = new Memory(this.#runtime, settings);
    this.#coherence = coherence;
    this.#freezes = settings.values === "frozen";
    this.#decode = decode;
    this.#versions = versions;
    coherence.join(this.#memory);
    versions.join(this.#memory);
  }

  /** To be noted before an entry is asked for. */
  get changes(): number {
    return this.#memory.changes;
  }

  /** The value, or `MISS`. */
  get(key: string): unknown {
    const now = this.#runtime.now();
    const kept = this.#coherence.isAwake(now) ? this.#memory.get(key, now) : undefined;
    if (kept === undefined || !this.#isValid(kept)) return MISS;
    return kept.bytes === undefined ? kept.value : this.#decode(key, kept.bytes);
  }

  /** Once no server says what changes, what is here still is served for its `staleness`. */
  #isValid({ sequence, tags }: Kept): boolean {
    if (!this.#versions.isCurrent) return !this.#coherence.isHeard;
    return tags === undefined || this.#versions.judge(sequence, tags) === true;
  }

  /** Keeps what was read, until `aheadMs` before its end, unless it may have been changed since, or nobody would say when it is. */
  keep(key: string, since: number, stored: Buffer, value: unknown, aheadMs: number): void {
    const leftMs = this.#coherence.leftMs(freshUntil(stored));
    if (leftMs === undefined) return;
    const of = { sequence: sequenceOf(stored), tags: aboutOf(stored)?.t };
    this.#memory.keep(key, since, leftMs - aheadMs, value, payloadOf(stored), of);
  }

  /** A value on its way to a caller: of the same kind whether it is kept or not. */
  given<V>(value: V): V {
    if (this.#freezes) frozen(value);
    return value;
  }

  stats(): CacheL1Stats {
    const { size: entries, bytes } = this.#memory;
    return { entries, bytes, changes: this.#coherence.changes, isCoherent: this.#coherence.isHeard };
  }
}
