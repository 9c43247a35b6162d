/** The server's side of a queue: its keys, and what can be asked of them. */
import { Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import type { BatchKind } from "../core/batch/lane.ts";
import type { Core } from "../core/core.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { AddSettings, QueueSettings } from "./options.ts";
import {
  add,
  append,
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

/** One job on its way in. */
export interface Addition {
  /** Undefined: the store names it. */
  readonly id: string | undefined;
  readonly settings: AddSettings;
  /** Without its time and lane. */
  readonly record: Buffer;
}

/** `ok`: it was added, as `id`; `duplicate`: `id` is the job in its way. */
export interface Entered {
  readonly status: "ok" | "duplicate";
  readonly id: string;
}

/** An acknowledgement. */
export interface Done {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
}

/** Of one worker: its incarnation, and the key it is woken by. */
export interface WorkerKeys {
  readonly worker: string;
  readonly active: string;
  readonly wakeKey: string;
}

/** Some 100 microseconds of the server's time. */
const MAX_ADDITIONS = 200;
/** A repetition of a lost answer comes within the call's deadline, and a late copy not much later. */
const OPERATION_TTL_MS = 60_000;
const ID_BYTES = 9;

export class QueueStore {
  readonly #core: Core;
  readonly #keys: GroupKeys;
  readonly #settings: QueueSettings;
  readonly #lane = new Lane();
  readonly #slot: number;
  /** Of all ids that are made here: no other process has it. */
  readonly #idHead: string;
  #calls = 0;
  readonly #plain: BatchKind<Addition, Entered>;
  readonly #particular: BatchKind<Addition, Entered>;
  readonly #lanes: { readonly urgent: string; readonly normal: string; readonly low: string };
  readonly #parts: Record<
    "jobs" | "meta" | "crashes" | "delayed" | "dead" | "workers" | "idle" | "paused" | "unique" | "windows",
    string
  >;

  constructor(core: Core, keys: GroupKeys, settings: QueueSettings) {
    this.#core = core;
    this.#keys = keys;
    this.#settings = settings;
    this.#slot = core.driver.slotOf(keys.key);
    this.#idHead = core.driver.runtime.randomBytes(ID_BYTES).toString("base64url");
    const part = (name: string): string => keys.part(name);
    this.#lanes = { urgent: part("high"), normal: part("normal"), low: part("low") };
    this.#parts = {
      jobs: part("jobs"),
      meta: part("meta"),
      crashes: part("crashes"),
      delayed: part("delayed"),
      dead: part("dead"),
      workers: part("workers"),
      idle: part("idle"),
      paused: part("paused"),
      unique: part("unique"),
      windows: part("windows"),
    };
    this.#plain = listKind(MAX_ADDITIONS, (jobs) => this.#append(jobs));
    this.#particular = listKind(MAX_ADDITIONS, (jobs) => this.#addAll(jobs));
  }

  /** The key by which a job's outcome is kept and its waiters are woken. */
  resultKey(id: string): string {
    return this.#keys.part("result", id);
  }

  workerKeys(worker: string): WorkerKeys {
    return { worker, active: this.#keys.part("active", worker), wakeKey: this.#keys.part("wake", worker) };
  }

  /** Calls of the same tick share a script; those that need more than `append` does share another one. */
  add(addition: Addition): Promise<Entered> {
    const { due, uniqueKey } = addition.settings;
    const isPlain = addition.id === undefined && due === "" && uniqueKey === "";
    return this.#lane.add(isPlain ? this.#plain : this.#particular, this.#slot, addition);
  }

  claim(
    keys: WorkerKeys,
    done: readonly Done[],
    terms: { readonly slots: number; readonly leaseMs: number; readonly idleMs: number; readonly timeoutMs: number },
  ): Promise<ClaimResult> {
    const { jobs, meta, crashes, delayed, workers, idle, paused, unique } = this.#parts;
    const names = { jobs, meta, crashes, ...this.#lanes, delayed, active: keys.active, workers, idle, paused, unique };
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
    const { jobs, meta, crashes } = this.#parts;
    return runScript(
      this.#core.driver,
      held,
      { active: keys.active, jobs, meta, crashes },
      {},
      this.#call("queue.claim"),
    );
  }

  /** Gives a job back: to run again after `delayMs`, or dead. False where the claim is over. */
  async settle(
    keys: WorkerKeys,
    job: Done,
    fate: {
      readonly fate: "again" | "dead";
      readonly delayMs: number;
      readonly info: Buffer;
      readonly outcome: Buffer;
    },
  ): Promise<boolean> {
    const { jobs, meta, delayed, dead, unique, idle } = this.#parts;
    const result = this.resultKey(job.id);
    const names = { active: keys.active, jobs, meta, ...this.#lanes, delayed, dead, unique, idle, result };
    const args = { ...job, ...fate, keepMs: this.#settings.resultTtlMs, channel: this.#core.wakeups.channel };
    const answer = await runScript(this.#core.driver, settle, names, args, this.#call("queue.settle", job.id));
    return answer.status === "ok";
  }

  async finish(keys: WorkerKeys, job: Done, outcome: Buffer): Promise<boolean> {
    const { jobs, meta, crashes, unique } = this.#parts;
    const names = { active: keys.active, jobs, meta, crashes, unique, result: this.resultKey(job.id) };
    const args = { ...job, outcome, keepMs: this.#settings.resultTtlMs, channel: this.#core.wakeups.channel };
    const answer = await runScript(this.#core.driver, finish, names, args, this.#call("queue.finish", job.id));
    return answer.status === "ok";
  }

  /** Takes back what a dead worker held. */
  async recover(worker: string): Promise<{ readonly recovered: number; readonly buried: readonly string[] }> {
    const { workers, jobs, crashes, dead, idle } = this.#parts;
    const { active } = this.workerKeys(worker);
    const names = { workers, active, jobs, crashes, ...this.#lanes, dead, idle };
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
    const { workers, jobs, idle } = this.#parts;
    const names = { workers, active: keys.active, jobs, ...this.#lanes, idle };
    const args = { worker: keys.worker, channel: this.#core.wakeups.channel, wakeKey: keys.wakeKey };
    return runScript(this.#core.driver, leave, names, args, this.#call("queue.close"));
  }

  counts(): Promise<CountsResult> {
    const { jobs, delayed, dead, workers, paused } = this.#parts;
    return runScript(
      this.#core.driver,
      counts,
      { jobs, ...this.#lanes, delayed, dead, workers, paused },
      {},
      this.#call("queue.counts"),
    );
  }

  find(id: string): Promise<FindResult> {
    const { jobs, meta, crashes, delayed, dead } = this.#parts;
    return runScript(
      this.#core.driver,
      find,
      { jobs, meta, crashes, delayed, dead },
      { id },
      this.#call("queue.get", id),
    );
  }

  /** `uniqueKey`: the one that the job was added with. */
  async remove(id: string, uniqueKey: string): Promise<"ok" | "missing" | "active"> {
    const { jobs, meta, crashes, delayed, dead, unique, workers } = this.#parts;
    const alive = (await this.#send(["ZRANGE", workers, "0", "-1"], "read", workers)) as Buffer[];
    const actives = alive.map((worker) => this.workerKeys(worker.toString()).active);
    const names = { jobs, meta, crashes, delayed, dead, unique, workers, actives };
    const answer = await runScript(this.#core.driver, remove, names, { id, uniqueKey }, this.#call("queue.remove", id));
    return answer.status;
  }

  async deadPage(start: number, count: number): Promise<{ readonly id: string; readonly at: number }[]> {
    const { dead } = this.#parts;
    const range = ["ZRANGE", dead, String(start), String(start + count - 1), "WITHSCORES"];
    // RESP3 has each member with its score in a list of its own.
    const reply = (await this.#send(range, "read", dead)) as [Buffer, number][];
    return reply.map(([id, at]) => ({ id: id.toString(), at }));
  }

  redrive(ids: readonly string[]): Promise<number> {
    const { jobs, meta, crashes, dead, idle } = this.#parts;
    const names = { jobs, meta, crashes, ...this.#lanes, dead, idle };
    return runScript(
      this.#core.driver,
      redrive,
      names,
      { channel: this.#core.wakeups.channel, ids },
      this.#call("queue.redrive"),
    );
  }

  async pause(): Promise<void> {
    await this.#send(["SET", this.#parts.paused, "1"], "idempotent", this.#parts.paused);
  }

  /** Workers that listen are all woken: each of them may have free slots. */
  async resume(): Promise<void> {
    const { paused, idle } = this.#parts;
    await this.#send(["DEL", paused], "idempotent", paused);
    const listening = (await this.#send(["ZRANGE", idle, "0", "999"], "read", idle)) as Buffer[];
    await Promise.all(
      listening.map((wakeKey) =>
        this.#send(["PUBLISH", this.#core.wakeups.channel, wakeKey.toString()], "idempotent", paused),
      ),
    );
  }

  /** The kept outcome, or null. */
  async outcome(id: string, timeoutMs: number | undefined): Promise<Buffer | null> {
    const key = this.resultKey(id);
    const call = {
      op: "queue.result",
      class: "read",
      key: id,
      timeoutMs: timeoutMs ?? this.#settings.timeoutMs,
    } as const;
    return (await this.#core.driver.send(["GET", key], call, key)) as Buffer | null;
  }

  async #append(jobs: readonly Addition[]): Promise<Entered[]> {
    const { jobs: records, idle } = this.#parts;
    const prefix = `${this.#nextCall()}.`;
    const names = { operation: this.#keys.part("op", prefix), jobs: records, ...this.#lanes, idle };
    const args = {
      operationTtlMs: OPERATION_TTL_MS,
      channel: this.#core.wakeups.channel,
      prefix,
      places: jobs.map(({ settings }) => settings.lane).join(""),
      lengths: jobs.map(({ record }) => record.length).join(","),
      records: jobs.length === 1 ? jobs[0]!.record : Buffer.concat(jobs.map(({ record }) => record)),
    };
    await runScript(this.#core.driver, append, names, args, this.#call("queue.add"));
    return jobs.map((_, at) => ({ status: "ok", id: `${prefix}${at + 1}` }));
  }

  async #addAll(jobs: readonly Addition[]): Promise<Entered[]> {
    const { jobs: records, delayed, unique, windows, idle } = this.#parts;
    const call = this.#nextCall();
    const names = {
      operation: this.#keys.part("op", call),
      jobs: records,
      ...this.#lanes,
      delayed,
      unique,
      windows,
      idle,
    };
    const ids = jobs.map(({ id }, at) => id ?? `${call}.${at + 1}`);
    const fields = jobs.flatMap(({ settings, record }, at) => [
      ids[at]!,
      String(settings.lane),
      settings.due,
      settings.uniqueKey,
      String(settings.uniqueMs),
      record,
    ]);
    const given = jobs.some(({ id }) => id !== undefined);
    const args = { operationTtlMs: OPERATION_TTL_MS, channel: this.#core.wakeups.channel, given, fields };
    const duplicates = new Map(pairs(await runScript(this.#core.driver, add, names, args, this.#call("queue.add"))));
    return ids.map((id, at) => {
      const holder = duplicates.get(String(at));
      return holder === undefined ? { status: "ok", id } : { status: "duplicate", id: holder };
    });
  }

  #nextCall(): string {
    this.#calls += 1;
    return `${this.#idHead}${this.#calls.toString(36)}`;
  }

  #send(args: readonly string[], opClass: "read" | "idempotent", key: string): Promise<unknown> {
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

function pairs<T>(flat: readonly T[]): [T, T][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2]!, flat[at * 2 + 1]!]);
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
