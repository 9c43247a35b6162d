/** The server's side of idempotency keys: which calls share a script, and what the replies mean. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import type { LeaseExtension } from "../core/lease/timed-lease.ts";
import { type BatchItem, MAX_MERGED_BYTES, runScript } from "../core/script/run.ts";
import {
  begin,
  type BeginArgs,
  type BeginKeys,
  type BeginResult,
  extend,
  finish,
  type FinishArgs,
  type FinishKeys,
  type FinishResult,
  forget,
  type ForgetResult,
  inspect,
  type InspectResult,
} from "./scripts.gen.ts";

/** One call of `run`. Its token is the same in all its requests, so that a lost answer leaves no run behind that nobody knows of. */
export interface Runner {
  readonly key: Id;
  readonly entry: string;
  readonly token: string;
  readonly print: string;
}

export type Granted = Extract<BeginResult, { status: "run" }>;

/** `v`: a value; `e`: a final error; `f`: it failed; `u`: it failed and left nothing, so that the next may have another fingerprint. */
export type Ending = { readonly outcome: "v" | "e"; readonly payload: Buffer } | { readonly outcome: "f" | "u" };

interface StoreSettings {
  readonly ttlMs: number;
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

type Begin = BatchItem<BeginKeys, BeginArgs>;
type Finish = BatchItem<FinishKeys, FinishArgs>;

/** In one script: the reply has the outcome of each that is stored. */
const MAX_BEGINS = 64;
const NOTHING = Buffer.alloc(0);

export class IdempotencyStore {
  readonly #core: Core;
  readonly #keys: EntryKeys;
  readonly #settings: StoreSettings;
  readonly #lane = new Lane();
  readonly #begins: BatchKind<Begin, BeginResult>;
  readonly #finishes: BatchKind<Finish, FinishResult>;

  constructor(core: Core, name: string, settings: StoreSettings) {
    this.#core = core;
    this.#keys = core.keys.entries("idempotency", name, true);
    this.#settings = settings;
    const { driver } = core;
    const call = { op: "idempotency.run", timeoutMs: settings.timeoutMs };
    const begins = scriptKind<BeginKeys, BeginArgs, BeginResult, Begin, BeginResult>(driver, begin, call, orThrow);
    const ends = scriptKind<FinishKeys, FinishArgs, FinishResult, Finish, FinishResult>(driver, finish, call, orThrow);
    this.#begins = { ...begins, maxItems: MAX_BEGINS };
    this.#finishes = { ...ends, weigh: ({ args }) => (args.payload.length > MAX_MERGED_BYTES ? ends.maxItems : 1) };
  }

  entryOf(key: Id): string {
    return this.#keys.key(key);
  }

  begin({ key, entry, token, print }: Runner, waits: boolean): Promise<BeginResult> {
    const { leaseMs, ttlMs } = this.#settings;
    const args = { token, print, leaseMs, ttlMs, waits };
    return this.#lane.add(this.#begins, this.#slotOf(entry), { keys: { entry }, args, key: String(key) });
  }

  async extend(
    { key, entry, token }: Runner,
    call: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<LeaseExtension> {
    const { leaseMs, ttlMs, timeoutMs } = this.#settings;
    const named = {
      op: "idempotency.extend",
      key: String(key),
      ...call,
      timeoutMs: Math.min(call.timeoutMs, timeoutMs),
    };
    return (await runScript(this.#core.driver, extend, { entry }, { token, leaseMs, ttlMs }, named)).status;
  }

  /** @param create whether it is stored also where the key is gone: evicted, or lost in a failover */
  finish(
    { key, entry, token, print }: Runner,
    run: Granted | undefined,
    ending: Ending,
    create: boolean,
  ): Promise<FinishResult> {
    const args = {
      token,
      print,
      fence: run?.fence ?? 0,
      attempt: run?.attempt ?? 0,
      outcome: ending.outcome,
      payload: "payload" in ending ? ending.payload : NOTHING,
      ttlMs: this.#settings.ttlMs,
      create,
      wakeChannel: this.#core.wakeups.channel,
    };
    return this.#lane.add(this.#finishes, this.#slotOf(entry), { keys: { entry }, args, key: String(key) });
  }

  /** Ends a request that nobody waits for any more, whose run may have begun. What cannot be ended now, ends with its lease. */
  async abandon(runner: Runner): Promise<void> {
    await this.finish(runner, undefined, { outcome: "f" }, false).catch(() => undefined);
  }

  inspect(key: Id): Promise<InspectResult> {
    const entry = this.entryOf(key);
    return runScript(this.#core.driver, inspect, { entry }, {}, this.#call("idempotency.get", key));
  }

  forget(key: Id): Promise<ForgetResult> {
    const entry = this.entryOf(key);
    return runScript(this.#core.driver, forget, { entry }, {}, this.#call("idempotency.forget", key));
  }

  #call(op: string, key: Id): { op: string; key: string; timeoutMs: number } {
    return { op, key: String(key), timeoutMs: this.#settings.timeoutMs };
  }

  #slotOf(entry: string): number {
    return this.#core.driver.slotOf(entry);
  }
}
