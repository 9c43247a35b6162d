/** The server's side of one value. */
import type { Core } from "../core/core.ts";
import { runScript } from "../core/script/run.ts";
import { unknownAfterRepeat } from "../core/update/compare-and-set.ts";
import type { ValueSettings } from "./options.ts";
import { write, type WriteResult } from "./scripts.gen.ts";

/** A value, and which state it is of. Versions only rise. */
export interface ValueEntry<V> {
  readonly value: V;
  readonly version: number;
}

/** What is stored: with the version of its deletion where it was deleted. */
export interface StoredValue {
  readonly version: number;
  readonly bytes: Buffer | undefined;
}

export type Written = Exclude<WriteResult, { status: "missing" | "forgotten" }>;

/** In the place of a version: whatever is stored. */
export const ANY_VERSION = -1;

const NOTHING: Buffer = Buffer.alloc(0);

export class ValueStore<V> {
  readonly name: string;
  /** On which every change is announced. */
  readonly channel: string;
  readonly #core: Core;
  readonly #settings: ValueSettings<V>;
  readonly #key: string;
  readonly #initial: Buffer | undefined;

  constructor(core: Core, name: string, settings: ValueSettings<V>) {
    this.name = name;
    this.#core = core;
    this.#settings = settings;
    this.#key = core.keys.group("value", name).key;
    this.channel = core.keys.channel("value", name);
    this.#initial = settings.initial === undefined ? undefined : this.encode(settings.initial);
  }

  async read(op: string): Promise<StoredValue | undefined> {
    const call = { op, key: this.name, class: "read", timeoutMs: this.#settings.timeoutMs } as const;
    const reply = await this.#core.driver.send(["HMGET", this.#key, "version", "value"], call, this.#key);
    const [version, bytes] = reply as (Buffer | null)[];
    return version ? { version: Number(version), bytes: bytes ?? undefined } : undefined;
  }

  /** @throws OutcomeUnknownError for a write whose answer was lost and which may have been forgotten */
  async write(op: string, expected: number, payload: Buffer): Promise<Written> {
    return (await this.#write(op, { expected, erase: false, payload })) as Written;
  }

  async delete(): Promise<boolean> {
    const args = { expected: ANY_VERSION, erase: true, payload: NOTHING };
    return (await this.#write("value.delete", args)).status === "ok";
  }

  encode(value: V): Buffer {
    return this.#settings.codec.encode(value, { aad: this.#key });
  }

  decode(bytes: Buffer): V {
    return this.#settings.codec.decode(bytes, { aad: this.#key });
  }

  /** What is read where nothing is stored: a copy for each reader. */
  initial(): V | undefined {
    return this.#initial && this.decode(this.#initial);
  }

  async #write(
    op: string,
    change: { readonly expected: number; readonly erase: boolean; readonly payload: Buffer },
  ): Promise<WriteResult> {
    const { driver } = this.#core;
    const { timeoutMs } = this.#settings;
    // By its random id the server recognises a write that is sent again.
    const opId = driver.runtime.randomBytes(6).toString("base64url");
    const args = { opId, againMs: 0, ...change, channel: this.channel };
    const again = (): typeof args => ({ ...args, againMs: timeoutMs });
    const result = await runScript(driver, write, { entry: this.#key }, args, { op, key: this.name, timeoutMs }, again);
    if (result.status === "forgotten") throw unknownAfterRepeat(op, this.name);
    return result;
  }
}
