/** The server's side of flows in one partition. */
import { type BatchKind, Lane } from "../../core/batch/lane.ts";
import { listKind } from "../../core/batch/list-kind.ts";
import { bytesOf, listOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import { cancel, find, flowAdd, flowEnded, flowExtend, flowRetry, flowStart, retry } from "../scripts.gen.ts";
import type { QueueJobState } from "../jobs/info.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { decodeNode } from "./plan-text.ts";
import { PlanWriter } from "./plan-writer.ts";

/** Of a job that has ended, to one that waits for it. */
export interface Ended {
  readonly id: string;
  readonly policy: string;
  readonly ref: string;
  readonly status: string;
  readonly outcome: Buffer;
}

export interface Root {
  readonly id: string;
  readonly lane: number;
  readonly record: Buffer;
}

const MAX_BATCH = 50;
const PAGE = 100;
/** About a millisecond of the server's time. */
const MAX_PART = 250;
const MAX_SCANNED = 1_000;
const PENDING = "?".charCodeAt(0);
/** As for other additions. */
const OPERATION_TTL_MS = 60_000;
/** For so long the outcome of a cancelled job waits to be read: as where a queue has no `resultTtl` of its own. */
const CANCELLED_TTL_MS = 60_000;
/** For so long a batch may be open without an addition. */
const OPEN_MS = 30 * 24 * 60 * 60 * 1_000;
/** For so long the name of a batch that was closed stays taken, so that closing it again is not a new one. */
const CLOSED_MS = 60 * 60 * 1_000;

export class FlowStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #call: UnclassedCall;
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #writer: PlanWriter;
  readonly #adding: BatchKind<PlanNode, undefined>;
  readonly #telling: BatchKind<Ended, number>;

  constructor(core: Core, keys: QueueKeys, timeoutMs: number | undefined) {
    this.#core = core;
    this.#keys = keys;
    this.#call = { op: "queue.flow", timeoutMs };
    this.#writer = new PlanWriter(core, keys, this.#call);
    this.#slot = core.driver.slotOf(keys.queue);
    this.#adding = listKind(MAX_BATCH, (nodes) => this.#addAll(nodes));
    this.#telling = listKind(MAX_BATCH, (ended) => this.tellAll(ended));
  }

  /** Adds the job that waits for all others, and their plan. */
  async start(name: string, root: Root, plan: Plan): Promise<"ok" | "duplicate"> {
    const { jobs, meta, blocked, letters } = this.#keys;
    const operation = this.#keys.operation(this.#core.driver.runtime.randomUUID());
    const names = {
      operation,
      jobs,
      meta,
      blocked,
      letters,
      plan: this.#keys.plan(name),
      staged: this.#keys.staged(name),
    };
    const { id, lane, record } = root;
    const written = await this.#writer.write(name, plan);
    const args = {
      operationTtlMs: OPERATION_TTL_MS,
      channel: this.#core.wakeups.channel,
      id,
      lane: String(lane),
      record,
      letter: planLetter(name),
      ...written,
    };
    const { status } = await runScript(this.#core.driver, flowStart, names, args, this.#call);
    return status === "lost" ? this.#writer.lost(name) : status;
  }

  /** Lets a job that runs, or those of some jobs that wait still, wait for those of the plan too. False where the claim is over, or none of the jobs waits. */
  async extend(name: string, plan: Plan, waiting: Waiters): Promise<boolean> {
    const { jobs, meta, blocked, letters } = this.#keys;
    const { active = jobs, fence = 0, parents, open = "", batch } = waiting;
    const names = {
      jobs,
      meta,
      blocked,
      active,
      letters,
      plan: this.#keys.plan(name),
      staged: this.#keys.staged(name),
    };
    const args = {
      fence,
      parents,
      open,
      batch: batch === undefined ? "" : this.#keys.batch(batch),
      openMs: OPEN_MS,
      letter: planLetter(name),
      first: plan.waits[0] ?? "",
      ...(await this.#writer.write(name, plan)),
    };
    const { status } = await runScript(this.#core.driver, flowExtend, names, args, this.#call);
    return status === "lost" ? this.#writer.lost(name) : status === "ok";
  }

  /** The jobs that a batch calls back with, all of them in one step: unless it was opened before. */
  async open(batch: string, callbacks: readonly PlanNode[]): Promise<void> {
    await this.#addNodes(callbacks, this.#keys.batch(batch));
  }

  /** Idempotent. Those of the same tick share a script. */
  add(node: PlanNode): Promise<undefined> {
    return this.#lane.add(this.#adding, this.#slot, node);
  }

  /** Returns how many letters lie in the partition then. Idempotent. Those of the same tick share a script. */
  tell(ended: Ended): Promise<number> {
    return this.#lane.add(this.#telling, this.#slot, ended);
  }

  /** Where the job is; undefined: there is no such job. */
  async stateOf(id: string): Promise<QueueJobState | undefined> {
    const { jobs, meta, kept, completed } = this.#keys;
    const answer = await runScript(
      this.#core.driver,
      find,
      { jobs, meta, kept, completed },
      { keepAgeMs: 0, id },
      this.#call,
    );
    return answer.status === "missing" ? undefined : (answer.row[0]!.toString() as QueueJobState);
  }

  /** Lets a job wait again for some that died. False where it is neither dead of them nor waits. */
  async retry(id: string, refs: readonly string[]): Promise<boolean> {
    const { jobs, meta, dead, blocked } = this.#keys;
    const names = { jobs, meta, dead, blocked };
    const { channel } = this.#core.wakeups;
    let waits = false;
    for (let from = 0; from < refs.length; from += MAX_PART) {
      const args = { channel, id, refs: refs.slice(from, from + MAX_PART) };
      const { status } = await runScript(this.#core.driver, flowRetry, names, args, this.#call);
      waits ||= status === "ok";
    }
    return waits;
  }

  /** As `queue.cancel`. One that the flow has not added yet is not added any more. */
  async cancel(id: string, outcome: Buffer): Promise<"ok" | "running" | "missing"> {
    const { jobs, meta, dead, unique, workers, idle, letters, lanes } = this.#keys;
    const names = { jobs, meta, ...lanes, dead, unique, workers, idle, letters };
    const { channel } = this.#core.wakeups;
    const args = { channel, keepMs: CANCELLED_TTL_MS, barMs: OPERATION_TTL_MS, outcome, ids: [id] };
    const { answers } = await runScript(this.#core.driver, cancel, names, args, this.#call);
    return answers[0] as "ok" | "running" | "missing";
  }

  /** Lets a dead job run again. */
  async redrive(id: string): Promise<number> {
    const { jobs, meta, dead, unique, completed, kept, idle, blocked, lanes } = this.#keys;
    const names = { jobs, meta, ...lanes, dead, unique, completed, kept, idle, blocked };
    const args = { channel: this.#core.wakeups.channel, ids: [id] };
    const [answer] = await runScript(this.#core.driver, retry, names, args, this.#call);
    return answer === "ok" ? 1 : 0;
  }

  /** As `tell`, in one step. */
  async tellAll(ended: readonly Ended[]): Promise<number[]> {
    const { jobs, meta, idle, dead, unique, blocked, letters, results, lanes } = this.#keys;
    const fields = ended.flatMap(({ id, policy, ref, status, outcome }) => [id, policy, ref, status, outcome]);
    const args = { channel: this.#core.wakeups.channel, results, closedMs: CLOSED_MS, fields };
    const names = { jobs, meta, ...lanes, idle, dead, unique, blocked, letters };
    const left = await runScript(this.#core.driver, flowEnded, names, args, this.#call);
    return ended.map(() => left);
  }

  /** Each reference with what is known of the job. */
  async children(id: string): Promise<Map<string, Buffer>> {
    const key = this.#keys.children(id);
    const call = { ...this.#call, class: "read" } as const;
    const found = new Map<string, Buffer>();
    let cursor = "0";
    do {
      const args = ["HSCAN", key, cursor, "COUNT", String(MAX_SCANNED)];
      const [next, flat] = listOf(await this.#core.driver.send(args, call, key), "queue.flow", key);
      for (const [ref, value] of pairs(listOf(flat, "queue.flow", key))) found.set(String(ref), value as Buffer);
      cursor = String(next);
    } while (cursor !== "0");
    return found;
  }

  /** Whether the job has not been told yet how the one with this reference ended. */
  async isWaiting(id: string, ref: string): Promise<boolean> {
    const key = this.#keys.children(id);
    const reply = await this.#core.driver.send(["HGET", key, ref], { ...this.#call, class: "read" }, key);
    return bytesOf(reply, "queue.flow", key)?.[0] === PENDING;
  }

  async planned(name: string): Promise<PlanNode[]> {
    const key = this.#keys.plan(name);
    const nodes: PlanNode[] = [];
    for (let from = 0; ; from += PAGE) {
      const args = ["LRANGE", key, String(from), String(from + PAGE - 1)];
      const page = listOf(await this.#core.driver.send(args, { ...this.#call, class: "read" }, key), "queue.flow", key);
      nodes.push(...page.map((bytes) => decodeNode(bytes as Buffer)));
      if (page.length < PAGE) return nodes;
    }
  }

  /** Some of what is to be told. */
  async letters(): Promise<[letter: string, outcome: Buffer][]> {
    const key = this.#keys.letters;
    const args = ["HRANDFIELD", key, String(PAGE), "WITHVALUES"];
    const reply = listOf(await this.#core.driver.send(args, { ...this.#call, class: "read" }, key), "queue.flow", key);
    // RESP3 has each field with its value in a list of its own.
    return reply
      .map((row) => listOf(row, "queue.flow", key))
      .map(([letter, outcome]) => [String(letter), outcome as Buffer]);
  }

  async delivered(letters: readonly string[]): Promise<void> {
    if (letters.length === 0) return;
    const key = this.#keys.letters;
    await this.#core.driver.send(["HDEL", key, ...letters], { ...this.#call, class: "idempotent" }, key);
  }

  async planDone(name: string): Promise<void> {
    const key = this.#keys.plan(name);
    await this.#core.driver.send(["DEL", key], { ...this.#call, class: "idempotent" }, key);
    await this.delivered([planLetter(name)]);
  }

  async #addAll(nodes: readonly PlanNode[]): Promise<undefined[]> {
    await this.#addNodes(nodes, "");
    return nodes.map(() => undefined);
  }

  async #addNodes(nodes: readonly PlanNode[], batch: string): Promise<void> {
    const { jobs, meta, delayed, idle, blocked, lanes } = this.#keys;
    const fields = nodes.flatMap(({ id, lane, due, record, waits }) => [
      id,
      String(lane),
      due,
      record,
      JSON.stringify(waits),
    ]);
    const { channel } = this.#core.wakeups;
    const args = { channel, batch, openMs: OPEN_MS, operationTtlMs: OPERATION_TTL_MS, fields };
    const names = { jobs, meta, ...lanes, delayed, idle, blocked };
    await runScript(this.#core.driver, flowAdd, names, args, this.#call);
  }
}

/** Who is to wait: the ids, and for a job that runs how it is held. */
export interface Waiters {
  readonly parents: readonly string[];
  readonly active?: string;
  readonly fence?: number;
  /** A reference for which they must wait still. */
  readonly open?: string;
  /** The batch whose callbacks they are. */
  readonly batch?: string;
}

function planLetter(name: string): string {
  return JSON.stringify(["plan", name]);
}

function pairs<T>(flat: readonly T[]): [T, T][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2]!, flat[at * 2 + 1]!]);
}
