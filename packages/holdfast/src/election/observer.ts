/** Who leads, for those who look on. */
import type { Followed } from "../core/wait/follower.ts";
import type { ElectionLeader, ElectionStore, StoredLeader } from "./store.ts";

/** `vacant`: nobody leads. `unknown`: the server cannot be asked, or knows of an older leader only. */
export type ElectionState<V> =
  | ({ readonly status: "led" } & ElectionLeader<V>)
  | { readonly status: "vacant" }
  | { readonly status: "unknown" };

/** How long a vacancy is believed though no message came. */
const VACANT_MS = 30_000;

export class Observer<V> implements Followed<StoredLeader | undefined, ElectionState<V>> {
  readonly op = "election.observe";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #store: ElectionStore<V>;
  /** The last that was yielded. */
  #last: { readonly status: ElectionState<V>["status"]; readonly term: number; readonly value: Buffer } | undefined;
  #highest = 0;

  constructor(store: ElectionStore<V>, timeoutMs: number) {
    this.#store = store;
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = timeoutMs;
  }

  read(): Promise<StoredLeader | undefined> {
    return this.#store.leader();
  }

  /** A leader that dies sends no message. */
  lastsMs(leader: StoredLeader | undefined): number {
    return leader === undefined ? VACANT_MS : Math.max(leader.ttlMs, 0) + 1;
  }

  known(leader: StoredLeader | undefined): ElectionState<V> | undefined {
    if (leader === undefined) return this.#unlessSame({ status: "vacant" });
    // A failover to a replica that has not seen the last leader: it is for that one to know of its loss.
    if (leader.term < this.#highest) return this.#unlessSame({ status: "unknown" });
    this.#highest = leader.term;
    const last = this.#last;
    if (last?.status === "led" && last.term === leader.term && last.value.equals(leader.value)) return undefined;
    this.#last = { status: "led", term: leader.term, value: leader.value };
    return { status: "led", ...this.#store.decode(leader) };
  }

  unknown(): ElectionState<V> | undefined {
    return this.#unlessSame({ status: "unknown" });
  }

  #unlessSame(state: { readonly status: "vacant" | "unknown" }): ElectionState<V> | undefined {
    if (this.#last?.status === state.status) return undefined;
    this.#last = { status: state.status, term: 0, value: NONE };
    return state;
  }
}

const NONE: Buffer = Buffer.alloc(0);
