/** The first level: what this process keeps in its own memory, for as long as it learns what changes. */
import type { Runtime } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { type Id, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
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
  /** The id as it stands in the key. */
  nameOf(id: Id): string;
}

/** A value that may be past its time. */
export interface Late {
  readonly value: unknown;
  /** Whether it is served without a load, as one has failed of late. */
  readonly isResting: boolean;
  /** A load has failed: the next one is not tried for so long. */
  rest(ms: number): void;
}

type Decode = (id: Id, bytes: Buffer) => unknown;

export class L1 {
  readonly #runtime: Runtime;
  readonly #memory: Memory;
  readonly #coherence: Coherence;
  readonly #versions: Versions;
  readonly #nameOf: (id: Id) => string;
  readonly #freezes: boolean;
  readonly #decode: Decode;

  /** @param graceMs how long entries are kept past their time */
  constructor(core: Core, shared: Shared, settings: L1Settings, graceMs: number, decode: Decode) {
    this.#runtime = core.driver.runtime;
    this.#memory = new Memory(this.#runtime, settings, settings.grace ? graceMs : 0);
    this.#coherence = shared.coherence;
    this.#versions = shared.versions;
    this.#nameOf = (id) => shared.nameOf(id);
    this.#freezes = settings.values === "frozen";
    this.#decode = decode;
    this.#coherence.join(this.#memory);
    this.#versions.join(this.#memory);
  }

  /** To be noted before an entry is asked for. */
  get changes(): number {
    return this.#memory.changes;
  }

  /** The value, or `MISS`: also for an empty id, which is refused elsewhere. */
  get(id: Id): unknown {
    const now = this.#runtime.now();
    const name = typeof id === "string" && id.length <= MAX_ID_LENGTH ? id : this.#nameOf(id);
    const kept = this.#coherence.isAwake(now) ? this.#memory.get(name, now) : undefined;
    if (kept === undefined || !this.#isValid(kept)) return MISS;
    return kept.bytes === undefined ? kept.value : this.#decode(id, kept.bytes);
  }

  /** What there is, also past its time: for where neither the server nor a load answers. The remembered "there is none" is not served so. */
  late(id: Id): Late | undefined {
    const now = this.#runtime.now();
    const kept = this.#memory.late(this.#nameOf(id), now);
    if (kept === undefined || this.#versions.judge(kept.sequence, kept.tags) === false) return undefined;
    const value = kept.bytes === undefined ? kept.value : this.#decode(id, kept.bytes);
    if (value === undefined) return undefined;
    return { value, isResting: (kept.restsUntil ?? 0) > now, rest: (ms) => (kept.restsUntil = now + ms) };
  }

  /** Once no server says what changes, what is here still is served for its `staleness`. */
  #isValid({ sequence, tags }: Kept): boolean {
    if (!this.#versions.isCurrent) return !this.#coherence.isHeard;
    return tags === undefined || this.#versions.judge(sequence, tags) === true;
  }

  /** Keeps what was read, until `aheadMs` before its end, unless it may have been changed since, or nobody would say when it is. */
  keep(id: Id, since: number, stored: Buffer, value: unknown, aheadMs: number): void {
    const leftMs = this.#coherence.leftMs(freshUntil(stored));
    if (leftMs === undefined) return;
    const of = { sequence: sequenceOf(stored), tags: aboutOf(stored)?.t };
    this.#memory.keep(this.#nameOf(id), since, leftMs - aheadMs, value, payloadOf(stored), of);
  }

  /** A value on its way to a caller: of the same kind whether it is kept or not. */
  given<V>(value: V): V {
    if (this.#freezes) frozen(value);
    return value;
  }

  stats(): CacheL1Stats {
    const { size: entries, bytes } = this.#memory;
    const { changes, isHeard: isCoherent, incoherentMs, silentMs } = this.#coherence;
    return { entries, bytes, changes, isCoherent, incoherentMs, silentMs };
  }
}
