/**
 * Where the writes of a cache wait for the database: a log in the slot of each entry, so that a write and its entry are one step.
 *
 * Without a cluster there is one log. In a cluster there may be as many as slots, and a set of hints names those that have something. A hint is
 * given after a write was accepted, and taken back before a log is looked at for the last time: only the death of a process in between can leave a log
 * without one, and a sweep over all slots, by one process of the fleet at a time, finds it.
 */
import type { Core } from "../../core/core.ts";
import type { GroupKeys } from "../../core/keyspace/keyspace.ts";
import type { Call } from "../../driver/port.ts";
import { SLOTS, tagIn } from "../../driver/slot.ts";

const OP = "cache.writer";
const SWEEP_CHUNK = 512;

/** The keys of the log in one slot. */
export interface LogKeys {
  readonly pending: string;
  readonly due: string;
  readonly since: string;
  readonly dead: string;
}

export class Logs {
  readonly #core: Core;
  readonly #name: string;
  readonly #control: GroupKeys;
  readonly #timeoutMs: number;
  readonly #keys = new Map<number, LogKeys>();
  readonly #hinted = new Set<number>();
  #isHinting = false;

  constructor(core: Core, name: string, timeoutMs: number) {
    this.#core = core;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#control = core.keys.group("writes", name);
  }

  /** Of a slot: its tag is the first number whose own slot it is. */
  keys(slot: number): LogKeys {
    let keys = this.#keys.get(slot);
    if (keys === undefined) {
      const head = this.#core.keys.entries("writes", this.#name).key(tagIn(slot));
      keys = { pending: `${head}:pending`, due: `${head}:due`, since: `${head}:since`, dead: `${head}:dead` };
      this.#keys.set(slot, keys);
    }
    return keys;
  }

  /** A log has something. Not waited for by the write: the sweep finds it too. */
  hint(slot: number): void {
    if (!this.#core.driver.caps.cluster) return;
    this.#hinted.add(slot);
    if (this.#isHinting) return;
    this.#isHinting = true;
    void this.#giveHints();
  }

  async unhint(slot: number): Promise<void> {
    if (this.#core.driver.caps.cluster)
      await this.#send(["SREM", this.#control.part("slots"), String(slot)], "idempotent");
  }

  /** The slots whose logs may have something. */
  async slots(): Promise<number[]> {
    if (!this.#core.driver.caps.cluster) return [0];
    const slots = (await this.#send(["SMEMBERS", this.#control.part("slots")], "read")) as unknown[];
    return slots.map(Number);
  }

  async isPaused(): Promise<boolean> {
    return (await this.#send(["EXISTS", this.#control.part("paused")], "read")) === 1;
  }

  async pause(): Promise<void> {
    await this.#send(["SET", this.#control.part("paused"), "1"], "idempotent");
  }

  async resume(): Promise<void> {
    await this.#send(["DEL", this.#control.part("paused")], "idempotent");
  }

  /** Looks at the logs of all slots, unless somebody has within `everyMs`; returns whether it has found any. */
  async sweep(everyMs: number): Promise<boolean> {
    const { driver } = this.#core;
    if (!driver.caps.cluster) return false;
    const turn = ["SET", this.#control.part("swept"), "1", "NX", "PX", String(everyMs)];
    if ((await this.#send(turn, "unsafe")) === null) return false;
    const found: string[] = [];
    for (let from = 0; from < SLOTS; from += SWEEP_CHUNK) {
      const chunk = Array.from({ length: SWEEP_CHUNK }, (_, at) => from + at);
      const looked = chunk.map(async (slot) => {
        const { pending, due, since, dead } = this.keys(slot);
        if ((await this.#send(["EXISTS", due, since, dead, pending], "read", due)) !== 0) found.push(String(slot));
      });
      await Promise.all(looked);
    }
    if (found.length > 0) await this.#send(["SADD", this.#control.part("slots"), ...found], "idempotent");
    return found.length > 0;
  }

  /** Those of the same tick together. */
  async #giveHints(): Promise<void> {
    await Promise.resolve();
    const slots = [...this.#hinted].map(String);
    this.#hinted.clear();
    this.#isHinting = false;
    await this.#send(["SADD", this.#control.part("slots"), ...slots], "idempotent").catch(() => undefined);
  }

  #send(args: readonly string[], kind: Call["class"], key = this.#control.key): Promise<unknown> {
    return this.#core.driver.send(args, { op: OP, class: kind, key: this.#name, timeoutMs: this.#timeoutMs }, key);
  }
}
