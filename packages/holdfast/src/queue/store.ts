/** The server's side of a queue: what can be asked of it, besides adding to it. */
import { bytesOf, listOf } from "../core/command/reply.ts";
import type { Core } from "../core/core.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Reply } from "../driver/port.ts";
import type { QueueKeys, WorkerKeys } from "./keys.ts";
import type { QueueSettings } from "./options.ts";
import {
  claim,
  type ClaimResult,
  counts,
  type CountsResult,
  find,
  type FindResult,
  finish,
  held,
  type HeldResult,
  leave,
  recover,
  redrive,
  remove,
  settle,
} from "./scripts.gen.ts";

/** An acknowledgement. */
export interface Done {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
}

/** Of a job whose run did not end well. */
export interface Fate {
  readonly fate: "again" | "dead";
  readonly delayMs: number;
  /** What is remembered of its failures; empty where nothing is added to it. */
  readonly info: Buffer;
  /** For those who wait for its result; or empty. */
  readonly outcome: Buffer;
}

export class QueueStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #settings: QueueSettings;

  constructor(core: Core, keys: QueueKeys, settings: QueueSettings) {
    this.#core = core;
    this.#keys = keys;
    this.#settings = settings;
  }

  claim(
    keys: WorkerKeys,
    done: readonly Done[],
    terms: { readonly slots: number; readonly leaseMs: number; readonly idleMs: number; readonly timeoutMs: number },
  ): Promise<ClaimResult> {
    const { jobs, meta, crashes, delayed, workers, idle, paused, unique, lanes } = this.#keys;
    const names = { jobs, meta, crashes, ...lanes, delayed, active: keys.active, workers, idle, paused, unique };
    const args = {
      worker: keys.worker,
      slots: terms.slots,
      leaseMs: terms.leaseMs,
      idleMs: terms.idleMs,
      channel: this.#core.wakeups.channel,
      wakeKey: keys.wakeKey,
      ...acknowledgements(done),
    };
    return runScript(this.#core.driver, claim, names, args, { op: "queue.claim", timeoutMs: terms.timeoutMs });
  }

  held(keys: WorkerKeys): Promise<HeldResult> {
    const { jobs, meta, crashes } = this.#keys;
    return runScript(
      this.#core.driver,
      held,
      { active: keys.active, jobs, meta, crashes },
      {},
      this.#call("queue.claim"),
    );
  }

  /** Returns a job to the queue: to run again after `delayMs`, or dead. False where the claim is over. */
  async settle(keys: WorkerKeys, job: Done, fate: Fate): Promise<boolean> {
    const { jobs, meta, delayed, dead, unique, idle, lanes } = this.#keys;
    const result = this.#keys.result(job.id);
    const names = { active: keys.active, jobs, meta, ...lanes, delayed, dead, unique, idle, result };
    const args = { ...job, ...fate, keepMs: this.#settings.resultTtlMs, channel: this.#core.wakeups.channel };
    const answer = await runScript(this.#core.driver, settle, names, args, this.#call("queue.settle", job.id));
    return answer.status === "ok";
  }

  async finish(keys: WorkerKeys, job: Done, outcome: Buffer): Promise<boolean> {
    const { jobs, meta, crashes, unique } = this.#keys;
    const names = { active: keys.active, jobs, meta, crashes, unique, result: this.#keys.result(job.id) };
    const args = { ...job, outcome, keepMs: this.#settings.resultTtlMs, channel: this.#core.wakeups.channel };
    const answer = await runScript(this.#core.driver, finish, names, args, this.#call("queue.finish", job.id));
    return answer.status === "ok";
  }

  /** Takes back what a dead worker held. */
  async recover(worker: string): Promise<{ readonly recovered: number; readonly buried: readonly string[] }> {
    const { workers, jobs, crashes, dead, idle, lanes } = this.#keys;
    const { active } = this.#keys.worker(worker);
    const names = { workers, active, jobs, crashes, ...lanes, dead, idle };
    const args = { worker, maxCrashes: this.#settings.maxCrashes, channel: this.#core.wakeups.channel };
    let recovered = 0;
    const buried: string[] = [];
    for (;;) {
      const answer = await runScript(this.#core.driver, recover, names, args, this.#call("queue.recover"));
      if (answer.status === "alive") return { recovered, buried };
      recovered += answer.recovered;
      buried.push(...answer.buried);
      if (answer.status === "ok") return { recovered, buried };
    }
  }

  leave(keys: WorkerKeys): Promise<{ readonly released: number }> {
    const { workers, jobs, idle, lanes } = this.#keys;
    const names = { workers, active: keys.active, jobs, ...lanes, idle };
    const args = { worker: keys.worker, channel: this.#core.wakeups.channel, wakeKey: keys.wakeKey };
    return runScript(this.#core.driver, leave, names, args, this.#call("queue.close"));
  }

  counts(): Promise<CountsResult> {
    const { jobs, delayed, dead, workers, paused, lanes } = this.#keys;
    return runScript(
      this.#core.driver,
      counts,
      { jobs, ...lanes, delayed, dead, workers, paused },
      {},
      this.#call("queue.counts"),
    );
  }

  find(id: string): Promise<FindResult> {
    const { jobs, meta, crashes, delayed, dead } = this.#keys;
    return runScript(
      this.#core.driver,
      find,
      { jobs, meta, crashes, delayed, dead },
      { id },
      this.#call("queue.get", id),
    );
  }

  /** `uniqueKey`: the one that the job was added with. */
  async remove(id: string, uniqueKey: string): Promise<"ok" | "missing" | "busy"> {
    const { jobs, meta, crashes, delayed, dead, unique, workers } = this.#keys;
    const alive = await this.#names(["ZRANGE", workers, "0", "-1"], workers);
    const actives = alive.map((worker) => this.#keys.worker(worker).active);
    const names = { jobs, meta, crashes, delayed, dead, unique, workers, actives };
    const answer = await runScript(this.#core.driver, remove, names, { id, uniqueKey }, this.#call("queue.remove", id));
    return answer.status;
  }

  async deadPage(start: number, count: number): Promise<{ readonly id: string; readonly at: number }[]> {
    const { dead } = this.#keys;
    const range = ["ZRANGE", dead, String(start), String(start + count - 1), "WITHSCORES"];
    const reply = await this.#send(range, "read", dead);
    // RESP3 has each member with its score in a list of its own.
    return listOf(reply, "queue.dead", this.#keys.queue).map((row) => {
      const [id, at] = listOf(row, "queue.dead", this.#keys.queue);
      return { id: String(id), at: Number(at) };
    });
  }

  redrive(ids: readonly string[]): Promise<number> {
    const { jobs, meta, crashes, dead, idle, lanes } = this.#keys;
    const names = { jobs, meta, crashes, ...lanes, dead, idle };
    return runScript(
      this.#core.driver,
      redrive,
      names,
      { channel: this.#core.wakeups.channel, ids },
      this.#call("queue.redrive"),
    );
  }

  async pause(): Promise<void> {
    await this.#send(["SET", this.#keys.paused, "1"], "idempotent", this.#keys.paused);
  }

  /** Workers that listen are all woken: each of them may have free slots. */
  async resume(): Promise<void> {
    const { paused, idle } = this.#keys;
    await this.#send(["DEL", paused], "idempotent", paused);
    const listening = await this.#names(["ZRANGE", idle, "0", "999"], idle);
    const { channel } = this.#core.wakeups;
    await Promise.all(listening.map((wakeKey) => this.#send(["PUBLISH", channel, wakeKey], "idempotent", paused)));
  }

  /** The kept outcome, or null. */
  async outcome(id: string, timeoutMs: number | undefined): Promise<Buffer | null> {
    const key = this.#keys.result(id);
    const call = {
      op: "queue.result",
      class: "read",
      key: id,
      timeoutMs: timeoutMs ?? this.#settings.timeoutMs,
    } as const;
    const reply = await this.#core.driver.send(["GET", key], call, key);
    return bytesOf(reply, "queue.result", id) ?? null;
  }

  async #names(args: readonly string[], key: string): Promise<string[]> {
    const reply = await this.#send(args, "read", key);
    return listOf(reply, `queue.${args[0]!.toLowerCase()}`, key).map(String);
  }

  #send(args: readonly string[], opClass: "read" | "idempotent", key: string): Promise<Reply> {
    return this.#core.driver.send(
      args,
      { op: `queue.${args[0]!.toLowerCase()}`, class: opClass, timeoutMs: this.#settings.timeoutMs },
      key,
    );
  }

  #call(op: string, key?: string): UnclassedCall {
    return { op, key, timeoutMs: this.#settings.timeoutMs };
  }
}

/** Jobs of one claim have one fence, so that most of them cost one argument. */
function acknowledgements(done: readonly Done[]): { readonly uniques: number; readonly done: string[] } {
  const byFence = new Map<number, string[]>();
  const uniques: string[] = [];
  for (const { id, fence, uniqueKey } of done) {
    const ids = byFence.get(fence);
    if (ids === undefined) byFence.set(fence, [id]);
    else ids.push(id);
    if (uniqueKey !== "") uniques.push(uniqueKey, id);
  }
  const claims = [...byFence].flatMap(([fence, ids]) => [String(fence), String(ids.length), ...ids]);
  return { uniques: uniques.length / 2, done: [...uniques, ...claims] };
}
