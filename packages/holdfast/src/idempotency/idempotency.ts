/**
 * Idempotency keys: a function is run once per key in the whole fleet, and whoever repeats the call gets the outcome of the first.
 *
 * What they promise: while the server keeps its data, one run of a key at a time, and one outcome, which is stored before anybody gets it. Callers
 * meanwhile wait for it. A run that dies is followed by the next caller's once its lease is over; a run that has lost its lease stores nothing over
 * its successor's. What they cannot promise: that a run which died before its outcome was stored had no effect. `attempt` says that there
 * was one, and the `fence` lets what is changed refuse it.
 *
 * While the server is away: calls wait for it as part of their `wait` and then reject, and the function is not called. What runs goes on until its lease is over.
 */
import { HoldfastError, InvalidArgumentError, TimeoutError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { beginRun, type Begun } from "./begin.ts";
import { decodeError, encodeError, type FinalError } from "./final-error.ts";
import {
  type IdempotencyOptions,
  type IdempotencyRequest,
  idempotencyRequest,
  type IdempotencyRunOptions,
  type IdempotencySettings,
  idempotencySettings,
} from "./options.ts";
import { type IdempotencyRun, type IdempotencyRuns, refuseLost } from "./runs.ts";
import type { BeginResult } from "./scripts.gen.ts";
import { type Ending, IdempotencyStore, type Runner } from "./store.ts";

/** `replayed`: the function was not called, this is the outcome of an earlier call, or of another's at the same time. */
export interface IdempotencyRunResult<R> {
  readonly value: R;
  readonly replayed: boolean;
}

/** `busy`: another runs it, for at least so long if it has died. `mismatch`: the key was used with another fingerprint. */
export type IdempotencyTryResult<R> =
  | ({ readonly status: "ok" } & IdempotencyRunResult<R>)
  | { readonly status: "busy"; readonly retryAfterMs: number }
  | { readonly status: "mismatch" };

/** `free`: runs have failed or died, and the next caller's will be `attempt + 1`. */
export type IdempotencyEntry<V> =
  | { readonly status: "done"; readonly value: V }
  | { readonly status: "failed"; readonly error: FinalError }
  | { readonly status: "running"; readonly fence: number; readonly attempt: number; readonly retryAfterMs: number }
  | { readonly status: "free"; readonly fence: number; readonly attempt: number };

export type IdempotencyForgetResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" }
  | { readonly status: "busy"; readonly retryAfterMs: number };

const OP = "idempotency.run";

type End<R> = { readonly value: R } | { readonly error: unknown };
type Fn<R> = (run: IdempotencyRun) => R | Promise<R>;
type Stored = Extract<BeginResult, { status: "stored" }>;

/**
 * @example
 * const payments = hf.idempotency("payments", { ttl: "24h" });
 * const { value, replayed } = await payments.run(key, ({ fence }) => charge(order, fence), { fingerprint: JSON.stringify(order) });
 */
export class Idempotency<V = unknown> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #runs: IdempotencyRuns;
  readonly #settings: IdempotencySettings<V>;
  readonly #store: IdempotencyStore;

  constructor(core: Core, runs: IdempotencyRuns, name: string, options?: IdempotencyOptions<V>) {
    this.name = name;
    this.#operations = new Operations("idempotency", name);
    this.#core = core;
    this.#runs = runs;
    this.#settings = idempotencySettings(this.#operations.where, core, options);
    this.#store = new IdempotencyStore(core, name, this.#settings);
  }

  /**
   * Calls `fn` unless the key has an outcome, and returns what it returns once that is stored; else returns what is stored. An error that is
   * final is stored and thrown again to later callers; after any other the next caller runs the function.
   * Cost: two scripts, and one for each third of the lease; one where the outcome is stored. Calls made in the same tick, in the same slot, share them.
   * @throws TimeoutError when another's run has not ended within `wait`; HoldfastError `CONFLICT` for another fingerprint, and inside a run of the same key
   * @throws LeaseLostError, OutcomeUnknownError when the function has run, but its outcome is not known to be stored
   */
  run<R extends V>(key: Id, fn: Fn<R>, options?: IdempotencyRunOptions): Promise<IdempotencyRunResult<R>> {
    return this.#operations.run("run", key, async () => {
      const request = this.#request(key, fn, options, "30s");
      const result = await this.#answer(key, fn, request);
      if (result.status === "ok") return { value: result.value, replayed: result.replayed };
      const which = `${this.#operations.where}: ${JSON.stringify(key)}`;
      if (result.status === "busy")
        throw new TimeoutError(`${which} is still being run by another after ${request.waitMs} ms`, {
          op: OP,
          key: String(key),
        });
      throw new HoldfastError("CONFLICT", `${which} was used with another fingerprint`, { op: OP, key: String(key) });
    });
  }

  /** As `run`, but returns what stands in the way of an outcome, and does not wait unless asked to. Cost: as `run`. */
  tryRun<R extends V>(key: Id, fn: Fn<R>, options?: IdempotencyRunOptions): Promise<IdempotencyTryResult<R>> {
    return this.#operations.run("run", key, async () => this.#answer(key, fn, this.#request(key, fn, options, 0)));
  }

  /** Returns what is known of a key; undefined where that is nothing. Cost: one script. */
  get(key: Id): Promise<IdempotencyEntry<V> | undefined> {
    return this.#operations.run("get", key, async () => {
      const known = await this.#store.inspect(key);
      if (known.status === "none") return undefined;
      const { status } = known;
      if (status === "free") return { status, fence: known.fence, attempt: known.attempt };
      if (status === "running")
        return { status, fence: known.fence, attempt: known.attempt, retryAfterMs: known.leftMs };
      const entry = this.#store.entryOf(key);
      if (known.kind === "e")
        return { status: "failed", error: decodeError(this.#settings.errors, known.payload, entry) };
      return { status: "done", value: this.#settings.codec.decode(known.payload, { aad: entry }) };
    });
  }

  /** Forgets a key, so that the next caller runs the function with whatever fingerprint; not while it is being run. Cost: one script. */
  forget(key: Id): Promise<IdempotencyForgetResult> {
    return this.#operations.run("forget", key, async () => {
      const result = await this.#store.forget(key);
      return result.status === "busy" ? { status: "busy", retryAfterMs: result.leftMs } : { status: result.status };
    });
  }

  #request(key: Id, fn: unknown, options: IdempotencyRunOptions | undefined, wait: "30s" | 0): IdempotencyRequest {
    if (typeof fn !== "function") throw new InvalidArgumentError("fn", "a function", fn);
    const entry = this.#store.entryOf(key);
    const request = idempotencyRequest(entry, options, wait);
    this.#runs.refuseNested(entry, this.#operations.where, key);
    return request;
  }

  async #answer<R extends V>(key: Id, fn: Fn<R>, request: IdempotencyRequest): Promise<IdempotencyTryResult<R>> {
    const { runtime } = this.#core.driver;
    const entry = this.#store.entryOf(key);
    const runner = { key, entry, token: runtime.randomUUID(), print: request.print };
    const begun = await beginRun(this.#core, this.#store, runner, {
      ...request,
      leaseMs: this.#settings.leaseMs,
      where: this.#operations.where,
    });
    if (begun.status === "busy") return { status: "busy", retryAfterMs: begun.leftMs };
    if (begun.status === "mismatch") return begun;
    if (begun.status === "stored") return this.#replayed<R>(begun, entry);
    return this.#run(runner, begun, fn);
  }

  async #run<R extends V>(runner: Runner, begun: Begun, fn: Fn<R>): Promise<IdempotencyTryResult<R>> {
    const { key, entry } = runner;
    const { leaseMs, maxHoldMs } = this.#settings;
    let outcome!: End<R>;
    let ending!: Ending;
    const ended = await this.#runs.execute(
      this.#store,
      runner,
      begun,
      { where: this.#operations.where, leaseMs, maxHoldMs },
      fn,
      (end) => {
        [outcome, ending] = this.#ending(end, entry);
        return ending;
      },
    );
    if (ended.status === "stored") return this.#replayed<R>(ended, entry);
    const isStored = "payload" in ending;
    if (isStored && ended.status !== "ok") return refuseLost(this.#operations.where, key, ended.status);
    if ("error" in outcome) throw outcome.error;
    return { status: "ok", value: outcome.value, replayed: false };
  }

  /** The outcome as the caller gets it, and as it is stored: what cannot be stored is a failure. */
  #ending<R extends V>(end: End<R>, entry: string): readonly [End<R>, Ending] {
    const { codec, errors, isFinal, storesErrors, hasSchema } = this.#settings;
    try {
      if ("value" in end) {
        const payload = codec.encode(end.value, { aad: entry });
        // What a schema makes of a value is what later callers get.
        const value = hasSchema ? (codec.decode(payload, { aad: entry }) as R) : end.value;
        return [{ value }, { outcome: "v", payload }];
      }
      if (!isFinal(end.error)) return [end, { outcome: "f" }];
      return [end, storesErrors ? { outcome: "e", payload: encodeError(errors, end.error, entry) } : { outcome: "u" }];
    } catch (error) {
      return [{ error }, { outcome: "f" }];
    }
  }

  #replayed<R extends V>({ kind, payload }: Stored, entry: string): IdempotencyTryResult<R> {
    if (kind === "e") throw decodeError(this.#settings.errors, payload, entry);
    return { status: "ok", value: this.#settings.codec.decode(payload, { aad: entry }) as R, replayed: true };
  }
}
