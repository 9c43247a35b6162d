/** A value as it changes, for those who watch it: never an older one after a newer one. */
import type { Followed } from "../core/wait/follower.ts";
import type { StoredValue, ValueStore } from "./store.ts";

export interface ValueState<V> {
  /** Undefined where there is none and the value has no `initial`. */
  readonly value: V | undefined;
  /** Of the newest state that was seen, a deletion's too: it never falls. 0 where nothing was ever stored. */
  readonly version: number;
  /** The server may have a newer one: it cannot be asked, or after a failover it has an older one only. */
  readonly stale: boolean;
}

/** How long a value is believed though no message came. */
const BELIEVED_MS = 30_000;

export class Watcher<V> implements Followed<StoredValue | undefined, ValueState<V>> {
  readonly op = "value.watch";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #store: ValueStore<V>;
  #newest: StoredValue = { version: -1, bytes: undefined };
  #isStale = false;

  constructor(store: ValueStore<V>, timeoutMs: number) {
    this.#store = store;
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = timeoutMs;
  }

  read(): Promise<StoredValue | undefined> {
    return this.#store.read(this.op);
  }

  lastsMs(): number {
    return BELIEVED_MS;
  }

  known(stored: StoredValue = NOTHING): ValueState<V> | undefined {
    const { version, bytes } = this.#newest;
    if (stored.version > version) return this.#fresh(stored);
    // Its key was lost: nothing is newer than that.
    if (stored === NOTHING)
      return bytes === undefined ? this.#unlessFresh() : this.#fresh({ version, bytes: undefined });
    if (stored.version < version) return this.unknown();
    return bytes === undefined && stored.bytes !== undefined ? this.#fresh(stored) : this.#unlessFresh();
  }

  unknown(): ValueState<V> | undefined {
    if (this.#isStale) return undefined;
    this.#isStale = true;
    return this.#state();
  }

  #unlessFresh(): ValueState<V> | undefined {
    return this.#isStale ? this.#fresh(this.#newest) : undefined;
  }

  #fresh(stored: StoredValue): ValueState<V> {
    this.#newest = stored;
    this.#isStale = false;
    return this.#state();
  }

  #state(): ValueState<V> {
    const { version, bytes } = this.#newest;
    const value = bytes === undefined ? this.#store.initial() : this.#store.decode(bytes);
    return { value, version: Math.max(version, 0), stale: this.#isStale };
  }
}

const NOTHING: StoredValue = { version: 0, bytes: undefined };
