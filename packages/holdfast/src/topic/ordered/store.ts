/** The server's side of an ordered subscription: its members, and per partition its cursor and who owns it. */
import { listOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { LogKeys } from "../../core/log/keys.ts";
import {
  orderedBeat,
  type OrderedBeatResult,
  orderedCommit,
  orderedCreate,
  orderedRelease,
  orderedRenew,
  type OrderedRenewResult,
  orderedSeek,
  orderedTake,
  type OrderedTakeResult,
} from "../scripts.gen.ts";
import { subscriptionKeys, type SubscriptionKeys } from "../keys.ts";
import type { StateWrites } from "../state/partition-state.ts";
import { fieldOf, nameOf, STATE_FIELDS, type Stored } from "../state/stored.ts";
import { registryKeys } from "../subscriptions/registry.ts";

/** A cursor to begin at: an offset of that epoch, or behind the newest message. */
export type Beginning = "end" | { readonly cursor: number; readonly epoch: number };

export interface Commit {
  readonly fence: number;
  /** Rises under one fence: by it one that is sent again is known. */
  readonly number: number;
  /** What this process takes for committed. */
  readonly expected: number;
  readonly cursor: number;
  readonly epoch: number;
  /** When the message at the cursor was published; 0: not to be checked. */
  readonly at: number;
  readonly tries: string;
  /** Redriven ones that are handled: name and place of each. */
  readonly letters: readonly string[];
  /** Of the subscription's state. */
  readonly writes: StateWrites;
}

export interface OrderedStoreTerms {
  readonly topic: string;
  readonly name: string;
  readonly timeoutMs: number | undefined;
  /** 0: for ever; below: as long as before. */
  readonly keepMs: number;
}

const END = -1;

export class OrderedStore {
  /** Of the members: what wakes them. */
  readonly wakeKey: string;
  readonly #core: Core;
  readonly #logs: readonly LogKeys[];
  readonly #terms: OrderedStoreTerms;
  readonly #registry: string;
  readonly #names: string;

  constructor(core: Core, logs: readonly LogKeys[], terms: OrderedStoreTerms) {
    this.#core = core;
    this.#logs = logs;
    this.#terms = terms;
    const { registry, members, names } = registryKeys(core, terms.topic, terms.name);
    this.#registry = registry;
    this.#names = names;
    this.wakeKey = members;
  }

  /** @param ttlMs 0: it leaves */
  beat(id: string, token: string, ttlMs: number, joins: boolean): Promise<OrderedBeatResult> {
    const keys = { members: this.wakeKey, registry: this.#registry, names: this.#names };
    const args = { name: this.#terms.name, id, token, ttlMs, joins, keepMs: this.#terms.keepMs, ...this.#wake };
    return runScript(this.#core.driver, orderedBeat, keys, args, this.#call("beat"));
  }

  async create(partition: number, from: Beginning, lost: boolean): Promise<void> {
    const { log, meta, cursors } = this.#logs[partition]!;
    const { name, keepMs } = this.#terms;
    const args = { name, keepMs, lost, ...beginningOf(from) };
    const keys = { state: this.#state(partition), log, meta, cursors };
    await runScript(this.#core.driver, orderedCreate, keys, args, this.#call("create"));
  }

  take(partition: number, owner: string, token: string, leaseMs: number): Promise<OrderedTakeResult> {
    const args = { owner, token, leaseMs };
    const keys = { state: this.#state(partition), redriven: this.#keys(partition).redriven };
    return runScript(this.#core.driver, orderedTake, keys, args, this.#call("take"));
  }

  renew(
    partition: number,
    fence: number,
    leaseMs: number,
    call: { readonly timeoutMs: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<OrderedRenewResult> {
    const { name, keepMs } = this.#terms;
    const { redriven } = this.#keys(partition);
    const keys = { state: this.#state(partition), cursors: this.#logs[partition]!.cursors, redriven };
    const args = { name, keepMs, fence, leaseMs };
    return runScript(this.#core.driver, orderedRenew, keys, args, { ...this.#call("renew"), ...call });
  }

  async commit(partition: number, commit: Commit): Promise<"ok" | "stale" | "lost"> {
    const { log, meta, cursors } = this.#logs[partition]!;
    const { name, keepMs } = this.#terms;
    const { redriven, records } = this.#keys(partition);
    const keys = { state: this.#state(partition), cursors, log, meta, redriven, records };
    const { letters, writes, ...rest } = commit;
    const { sets, deletes, names } = writes;
    const args = {
      name,
      keepMs,
      ...rest,
      letters: letters.length / 2,
      sets: sets.length / 2,
      names,
      rest: letters.length + sets.length + deletes.length === 0 ? [] : [...letters, ...sets, ...deletes],
    };
    return (await runScript(this.#core.driver, orderedCommit, keys, args, this.#call("commit"))).status;
  }

  async release(partition: number, fence: number): Promise<"ok" | "stale"> {
    const keys = { state: this.#state(partition) };
    const args = { fence, ...this.#wake };
    return (await runScript(this.#core.driver, orderedRelease, keys, args, this.#call("release"))).status;
  }

  /** @param clears whether its state goes, in the same step */
  async seek(partition: number, to: Beginning, clears = false): Promise<"ok" | "missing"> {
    const { log, meta, cursors } = this.#logs[partition]!;
    const { name, keepMs } = this.#terms;
    const keys = { state: this.#state(partition), log, meta, cursors };
    const args = { name, keepMs, clears, ...beginningOf(to), ...this.#wake };
    return (await runScript(this.#core.driver, orderedSeek, keys, args, this.#call("seek"))).status;
  }

  /** The cursor and its epoch; undefined where there is none. */
  async cursor(partition: number): Promise<{ readonly cursor: number; readonly epoch: number } | undefined> {
    const key = this.#state(partition);
    const call = { ...this.#call("lag"), class: "read" } as const;
    const reply = await this.#core.driver.send(["HMGET", key, "cursor", "epoch"], call, key);
    const [cursor, epoch] = listOf(reply, call.op, call.key);
    if (cursor === null) return undefined;
    return { cursor: Number(String(cursor)), epoch: Number(String(epoch)) };
  }

  /** Values of the subscription's state, in the order of their names. */
  async readState(partition: number, names: readonly string[], op = "state"): Promise<Stored[]> {
    const key = this.#state(partition);
    const call = { ...this.#call(op), class: "read" } as const;
    const reply = await this.#core.driver.send(["HMGET", key, ...names.map(fieldOf)], call, key);
    return listOf(reply, call.op, call.key).map((value) => (Buffer.isBuffer(value) ? value : undefined));
  }

  async scanState(
    partition: number,
    cursor: string,
    count: number,
  ): Promise<{ readonly next: string; readonly entries: { readonly name: string; readonly stored: Buffer }[] }> {
    const key = this.#state(partition);
    const call = { ...this.#call("state"), class: "read" } as const;
    const command = ["HSCAN", key, cursor, "MATCH", STATE_FIELDS, "COUNT", String(count)];
    const [next, found] = listOf(await this.#core.driver.send(command, call, key), call.op, call.key);
    const flat = listOf(found, call.op, call.key);
    const entries = flat.flatMap((field, at) => {
      const [name, stored] = [at % 2 === 0 ? nameOf(String(field)) : undefined, flat[at + 1]];
      return name !== undefined && Buffer.isBuffer(stored) ? [{ name, stored }] : [];
    });
    return { next: String(next), entries };
  }

  /** Where it is. */
  stateKey(partition: number): string {
    return this.#state(partition);
  }

  /** What is known of the subscription in a partition is forgotten; its owner finds out at its next commit. */
  async remove(partition: number): Promise<void> {
    const key = this.#state(partition);
    const { cursors } = this.#logs[partition]!;
    const call = { ...this.#call("remove"), class: "idempotent" } as const;
    await Promise.all([
      this.#core.driver.send(["UNLINK", key], call, key),
      this.#core.driver.send(["HDEL", cursors, this.#terms.name], call, cursors),
    ]);
  }

  #state(partition: number): string {
    return this.#keys(partition).owned;
  }

  #keys(partition: number): SubscriptionKeys {
    return subscriptionKeys(this.#logs[partition]!, this.#terms.name);
  }

  get #wake(): { readonly channel: string; readonly wakeKey: string } {
    return { channel: this.#core.wakeups.channel, wakeKey: this.wakeKey };
  }

  #call(verb: string): UnclassedCall {
    const { topic, timeoutMs } = this.#terms;
    return { op: `topic.subscription.${verb}`, key: topic, timeoutMs };
  }
}

function beginningOf(from: Beginning): { readonly from: number; readonly epoch: number } {
  return from === "end" ? { from: END, epoch: 0 } : { from: from.cursor, epoch: from.epoch };
}
