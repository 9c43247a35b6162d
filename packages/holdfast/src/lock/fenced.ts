/**
 * Values that a lock guards, safe from a holder which does not know yet that it has lost the lock: each write carries
 * the holder's fence, and one below the highest that was seen is refused (M. Kleppmann, "How to do distributed
 * locking", 2016).
 *
 * What they promise: a value is never overwritten with a lower fence while it is kept. While the server is away calls
 * wait for it until their deadline and then reject; a write whose answer was lost is repeated.
 */
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Duration, type OptionNames, parseOptions, toMs, wholeBetween } from "../base/options.ts";
import { runScript } from "../core/script/run.ts";
import { fencedSet } from "./scripts.gen.ts";

/** Microseconds until the year 2112, and exact in all that handles it: Lua, RESP and JavaScript. */
const MAX_FENCE = 2 ** 52;

const OPTIONS: OptionNames<FencedOptions<unknown>> = { ...CODEC_OPTIONS, ttl: true };

export interface FencedOptions<V> extends CodecOptions<V> {
  /**
   * How long a value and its fence are kept after the last write: longer than any holder of the lock may be late.
   * @default "7d"
   */
  readonly ttl?: Duration;
}

export interface FencedValue<V> {
  readonly value: V;
  readonly fence: number;
}

/** `stale`: a holder with this higher fence has written; whoever has the lower one has lost the lock. */
export type FencedResult = { readonly status: "ok" } | { readonly status: "stale"; readonly fence: number };

/**
 * Values by id, each with the fence of its writer.
 * @example
 * const states = hf.fenced<State>("states");
 * await states.set(id, next, held.fence);
 */
export class Fenced<V> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #keys: EntryKeys;
  readonly #codec: Codec<V>;
  readonly #ttlMs: number;

  constructor(core: Core, name: string, given?: FencedOptions<V>) {
    this.name = name;
    this.#operations = new Operations("fenced", name);
    this.#core = core;
    this.#keys = core.keys.entries("fenced", name);
    const parsed = parseOptions(this.#operations.where, given, OPTIONS, (options) => ({
      codec: core.codec<V>(options),
      ttlMs: toMs("ttl", options.ttl ?? "7d"),
    }));
    this.#codec = parsed.codec;
    this.#ttlMs = parsed.ttlMs;
  }

  /**
   * Stores a value in the name of the holder with this fence; several times with one fence is fine.
   * Cost: one script.
   */
  set(id: Id, value: V, fence: number): Promise<FencedResult> {
    return this.#operations.run("set", id, async () => {
      const entry = this.#keys.key(id);
      const args = {
        fence: wholeBetween("fence", fence, 1, MAX_FENCE),
        ttlMs: this.#ttlMs,
        payload: this.#codec.encode(value, { aad: entry }),
      };
      return runScript(this.#core.driver, fencedSet, { entry }, args, { op: "fenced.set", key: String(id) });
    });
  }

  /**
   * Returns the value with the fence it was written with; undefined where there is none.
   * Cost: HMGET.
   */
  get(id: Id): Promise<FencedValue<V> | undefined> {
    return this.#operations.run("get", id, async () => {
      const entry = this.#keys.key(id);
      const call = { op: "fenced.get", class: "read", key: String(id) } as const;
      const reply = await this.#core.driver.send(["HMGET", entry, "value", "fence"], call, entry);
      const [payload, fence] = reply as [Buffer | null, Buffer | null];
      if (payload === null) return undefined;
      return { value: this.#codec.decode(payload, { aad: entry }), fence: Number(fence) };
    });
  }
}
