/** The server's side of one latch. */
import type { Core } from "../core/core.ts";
import { runScript } from "../core/script/run.ts";
import type { LatchSettings } from "./options.ts";
import { countDown, read, type ReadResult, reset } from "./scripts.gen.ts";

export interface CountedDown {
  /** How many are still to count down; 0: it is open. */
  readonly remaining: number;
  /** Rises with each round; at least the server's time in microseconds. */
  readonly round: number;
}

export type StoredRound = Extract<ReadResult, { status: "round" }>;

export class LatchStore {
  readonly name: string;
  /** On which it is announced that a round is opened or over. */
  readonly channel: string;
  readonly #core: Core;
  readonly #settings: LatchSettings;
  readonly #keys: { readonly latch: string; readonly previous: string };

  constructor(core: Core, name: string, settings: LatchSettings) {
    this.name = name;
    this.#core = core;
    this.#settings = settings;
    const keys = core.keys.group("latch", name);
    this.#keys = { latch: keys.key, previous: keys.part("previous") };
    this.channel = core.keys.channel("latch", name);
  }

  async countDown(id: string, opId: string): Promise<CountedDown> {
    const { count, ttlMs } = this.#settings;
    const args = { id, opId, again: false, count, ttlMs, channel: this.channel };
    const again = (): typeof args => ({ ...args, again: true });
    const call = this.#call("latch.countDown");
    const { remaining, round } = await runScript(this.#core.driver, countDown, this.#keys, args, call, again);
    return { remaining, round };
  }

  async reset(round: number): Promise<number> {
    const { count, ttlMs } = this.#settings;
    const args = { round, count, ttlMs, channel: this.channel };
    return (await runScript(this.#core.driver, reset, this.#keys, args, this.#call("latch.reset"))).round;
  }

  /** Undefined where none has begun, or it was forgotten. */
  async read(op: string): Promise<StoredRound | undefined> {
    const result = await runScript(this.#core.driver, read, this.#keys, {}, this.#call(op));
    return result.status === "none" ? undefined : result;
  }

  #call(op: string): { op: string; key: string; timeoutMs: number } {
    return { op, key: this.name, timeoutMs: this.#settings.timeoutMs };
  }
}
