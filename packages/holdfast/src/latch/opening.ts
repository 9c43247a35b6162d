/** A round on its way to being opened, for one of its waiters. */
import type { Followed } from "../core/wait/follower.ts";
import type { LatchStore, StoredRound } from "./store.ts";

/** `open`: the round that was waited for. `reset`: it was over before it was opened. */
export interface Opening {
  readonly status: "open" | "reset";
  readonly round: number;
}

/** How long a round that is not open is believed though no message came. */
const BELIEVED_MS = 30_000;

export class Opener implements Followed<StoredRound | undefined, Opening> {
  readonly op = "latch.wait";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  /** False where the server could not be asked the last time. */
  isKnown = true;
  readonly #store: LatchStore;
  /** The round that is waited for: the first that is seen. */
  #round: number | undefined;

  constructor(store: LatchStore, timeoutMs: number) {
    this.#store = store;
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = timeoutMs;
  }

  read(): Promise<StoredRound | undefined> {
    return this.#store.read(this.op);
  }

  lastsMs(): number {
    return BELIEVED_MS;
  }

  known(stored: StoredRound | undefined): Opening | undefined {
    this.isKnown = true;
    // Where it was forgotten the next one that begins is waited for.
    if (stored === undefined) return this.#wait(undefined);
    const { round, remaining, previous, previousOpened } = stored;
    const awaited = this.#round ?? round;
    if (awaited === round) return remaining === 0 ? { status: "open", round } : this.#wait(round);
    const wasOpened = awaited === previous && previousOpened;
    return { status: wasOpened ? "open" : "reset", round: awaited };
  }

  unknown(): undefined {
    this.isKnown = false;
  }

  #wait(round: number | undefined): undefined {
    this.#round = round;
  }
}
