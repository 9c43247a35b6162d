/** All flags as they change, for clients: never an older state after a newer one. */
import type { Followed } from "../core/wait/follower.ts";
import type { FlagsStore, StoredFlags } from "./store.ts";

export interface FlagsState extends StoredFlags {
  /** The server may have newer ones: it cannot be asked, or it has lost what it had. */
  readonly isStale: boolean;
}

/** How long flags are believed though no message came. */
const BELIEVED_MS = 30_000;

export class FlagsWatcher implements Followed<StoredFlags | undefined, FlagsState> {
  readonly op = "flags.client";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #store: FlagsStore;
  #newest: StoredFlags | undefined;
  #isStale = false;

  constructor(store: FlagsStore) {
    this.#store = store;
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = store.timeoutMs;
  }

  /** Undefined: they are what was seen last. */
  read(): Promise<StoredFlags | undefined> {
    return this.#store.readUnless(this.#newest?.version ?? -1, this.op);
  }

  lastsMs(): number {
    return BELIEVED_MS;
  }

  known(stored: StoredFlags | undefined): FlagsState | undefined {
    const newest = this.#newest;
    if (stored === undefined) return this.#isStale ? this.#fresh(newest!) : undefined;
    // Its key was lost, or a failover has lost the last writes: what was seen is still the best that is known.
    if (newest !== undefined && stored.version < newest.version) return this.unknown();
    return this.#fresh(stored);
  }

  unknown(): FlagsState | undefined {
    if (this.#isStale || this.#newest === undefined) return undefined;
    this.#isStale = true;
    return { ...this.#newest, isStale: true };
  }

  #fresh(stored: StoredFlags): FlagsState {
    this.#newest = stored;
    this.#isStale = false;
    return { ...stored, isStale: false };
  }
}
