/** What one at a barrier waits for: that all have entered, and that all have left. */
import type { Runtime } from "../base/runtime.ts";
import type { Followed } from "../core/wait/follower.ts";
import type { BarrierSettings } from "./options.ts";
import type { ArriveResult, LookResult } from "./scripts.gen.ts";
import type { BarrierStore } from "./store.ts";

export interface Entered {
  readonly round: number;
  /** On the clock of the runtime, from before the request that said so. */
  readonly grantedAt: number;
}

/** Asks again at each third of the ttl, which keeps its place. */
export class Entering implements Followed<ArriveResult, Entered> {
  readonly op = "barrier.enter";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly token: string;
  readonly #store: BarrierStore;
  readonly #runtime: Runtime;
  readonly #ttlMs: number;
  readonly #deadline: number;
  #askedAt = 0;

  constructor(store: BarrierStore, { ttlMs, timeoutMs }: BarrierSettings, waitMs: number, runtime: Runtime) {
    this.#store = store;
    this.#runtime = runtime;
    this.#ttlMs = ttlMs;
    this.#deadline = runtime.now() + waitMs;
    this.token = runtime.randomUUID();
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = timeoutMs;
  }

  read(): Promise<ArriveResult> {
    this.#askedAt = this.#runtime.now();
    return this.#store.arrive(this.token, Math.max(this.#deadline - this.#askedAt, 0));
  }

  lastsMs({ status }: ArriveResult): number {
    return status === "late" ? 0 : this.#ttlMs / 3;
  }

  known(answer: ArriveResult): Entered | undefined {
    return answer.status === "inside" ? { round: answer.round, grantedAt: this.#askedAt } : undefined;
  }

  unknown(): undefined {}
}

/** Looks again when the next of those inside would count as dead. */
export class Leaving implements Followed<LookResult, "ok" | "broken"> {
  readonly op = "barrier.leave";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #store: BarrierStore;
  readonly #round: number;

  constructor(store: BarrierStore, round: number, timeoutMs: number) {
    this.#store = store;
    this.#round = round;
    this.key = store.name;
    this.channel = store.channel;
    this.timeoutMs = timeoutMs;
  }

  read(): Promise<LookResult> {
    return this.#store.look(this.#round);
  }

  lastsMs(state: LookResult): number {
    return state.status === "inside" ? Math.max(state.leftMs, 0) + 1 : 0;
  }

  known(state: LookResult): "ok" | "broken" | undefined {
    if (state.status === "inside") return undefined;
    return state.status === "over" ? "ok" : "broken";
  }

  unknown(): undefined {}
}
