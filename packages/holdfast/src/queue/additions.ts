/** Jobs on their way in: which of them share a script, and how they are named. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import type { Core } from "../core/core.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import {
  checkDurability,
  type DurabilitySettings,
  type QueueDurabilityResult,
  waitForDurability,
} from "./durability.ts";
import type { EventStore } from "./events/store.ts";
import type { QueueKeys } from "./keys.ts";
import type { AddSettings } from "./add-options.ts";
import { add, append, enter } from "./scripts.gen.ts";

/** One job on its way in. */
export interface Addition {
  /** Undefined: the store names it. */
  readonly id: string | undefined;
  readonly settings: AddSettings;
  /** Without its time and lane. */
  readonly record: Buffer;
  /** For those who wait for a job that it cancels; of the mode `cancelRunning` only. */
  readonly outcome?: Buffer | undefined;
}

/** `ok`: it was added, as `id`; `duplicate`: `id` is the job in its way; `replaced`: `id` has its payload now; `full`: as many wait as may. */
export interface Entered {
  readonly status: "ok" | "duplicate" | "replaced" | "full";
  readonly id: string;
  /** Where it was asked for. */
  readonly durability?: QueueDurabilityResult;
}

/** About 100 microseconds of the server's time. */
export const MAX_ADDITIONS = 200;
/** With ids, times and keys of their own: less than a millisecond. */
const MAX_PARTICULAR = 100;
/** With a group each they take the server about a millisecond. */
const MAX_GROUPED = 25;
/** Where unique keys do more: each asks every worker what it runs. */
const MAX_UNIQUE = 50;
/** A repetition of a lost answer comes within the call's deadline, and a late copy not much later. */
const OPERATION_TTL_MS = 60_000;
/** Of a producer, 54 bits: of 100,000 producers of one queue two have the same head with a probability of 3e-7. */
const HEAD_BYTES = 7;
const HEAD_LENGTH = 9;
/** Two characters for the place in a call: ids of up to 14 characters take 8 bytes less of the server than longer ones do. */
const PLACES = Array.from({ length: MAX_ADDITIONS }, (_, at) => at.toString(36).padStart(2, "0")).join("");
/** A key with a bit for each is less than 200 bytes, so that a call costs next to none. */
const CALLS_PER_KEY = 512;
/** Of durability: there are as many as a program has literals of it. */
const MAX_KINDS = 100;
const NOTHING = Buffer.alloc(0);

export interface AdditionsOptions {
  readonly timeoutMs: number | undefined;
  /** 0: any number. */
  readonly maxWaiting: number;
  readonly resultTtlMs: number;
  /** What ids made here begin with. */
  readonly idHead: string;
  readonly events: EventStore | undefined;
}

export class Additions {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #call: UnclassedCall;
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #plain: BatchKind<Addition, Entered>;
  readonly #particular: BatchKind<Addition, Entered>;
  readonly #grouped: BatchKind<Addition, Entered>;
  readonly #durable = new Map<string, BatchKind<Addition, Entered>>();
  readonly #unique: BatchKind<Addition, Entered>;
  readonly #resultTtlMs: number;
  /** Of all ids that are made here: no other process has it. */
  readonly #head: string;
  readonly #maxWaiting: number;
  readonly #events: EventStore | undefined;
  #calls = 0;

  constructor(core: Core, keys: QueueKeys, options: AdditionsOptions) {
    const { timeoutMs, resultTtlMs, maxWaiting, idHead, events } = options;
    this.#core = core;
    this.#keys = keys;
    this.#call = { op: "queue.add", timeoutMs };
    this.#slot = core.driver.slotOf(keys.queue);
    this.#maxWaiting = maxWaiting;
    this.#events = events;
    const random = core.driver.runtime.randomBytes(HEAD_BYTES).toString("base64url");
    this.#head = idHead + random.slice(0, HEAD_LENGTH);
    this.#plain = listKind(MAX_ADDITIONS, (jobs) => this.#append(jobs));
    this.#particular = listKind(MAX_PARTICULAR, (jobs) => this.#addAll(jobs));
    this.#grouped = listKind(MAX_GROUPED, (jobs) => this.#addAll(jobs));
    this.#unique = listKind(MAX_UNIQUE, (jobs) => this.#enterAll(jobs));
    this.#resultTtlMs = resultTtlMs;
  }

  /** Calls of the same tick share a script; those that need more than `append` does share another one. */
  add(addition: Addition): Promise<Entered> {
    const { uniqueMode, group, durability } = addition.settings;
    this.#events?.ask();
    if (uniqueMode !== "" && uniqueMode !== "s") return this.#lane.add(this.#unique, this.#slot, addition);
    if (durability !== undefined) return this.#lane.add(this.#lasting(durability), this.#slot, addition);
    if (group !== undefined) return this.#lane.add(this.#grouped, this.#slot, addition);
    const isPlain = addition.id === undefined && this.#isPlain(addition.settings);
    return this.#lane.add(isPlain ? this.#plain : this.#particular, this.#slot, addition);
  }

  /** Whether jobs with these options may be added by `addPlain`. */
  arePlain(settings: AddSettings): boolean {
    const { id, uniqueMode, group, durability } = settings;
    if (id !== undefined || uniqueMode !== "" || group !== undefined || durability !== undefined) return false;
    return this.#isPlain(settings);
  }

  /** Up to 200 jobs without a promise each, behind what was added before them. */
  addPlain(jobs: readonly Addition[]): Promise<Entered[]> {
    this.#lane.flush(this.#slot);
    return this.#append(jobs);
  }

  #isPlain({ due, uniqueKey }: AddSettings): boolean {
    return due === "" && uniqueKey === "" && this.#maxWaiting === 0 && this.#events === undefined;
  }

  async #append(jobs: readonly Addition[]): Promise<Entered[]> {
    const { jobs: stored, lanes, idle } = this.#keys;
    const prefix = this.#nextCall();
    const call = this.#calls % CALLS_PER_KEY;
    // Named by something that no call is named by.
    const block = `${this.#head}.${((this.#calls - call) / CALLS_PER_KEY).toString(36)}`;
    const names = { operations: this.#keys.operation(block), jobs: stored, ...lanes, idle };
    const first = jobs[0]!.settings.lane;
    const isOneLane = jobs.every(({ settings }) => settings.lane === first);
    const args = {
      call,
      operationTtlMs: OPERATION_TTL_MS,
      channel: this.#core.wakeups.channel,
      prefix,
      places: PLACES.slice(0, jobs.length * 2),
      lanes: isOneLane ? String(first) : jobs.map(({ settings }) => settings.lane).join(""),
      records: jobs.map(({ record }) => record),
    };
    await runScript(this.#core.driver, append, names, args, this.#call);
    return jobs.map((_, at) => ({ status: "ok", id: prefix + placeOf(at) }));
  }

  /** Those that want the same wait for it together. */
  #lasting(wanted: DurabilitySettings): BatchKind<Addition, Entered> {
    const name = JSON.stringify(wanted);
    const known = this.#durable.get(name);
    if (known !== undefined) return known;
    const kind = listKind<Addition, Entered>(MAX_PARTICULAR, async (jobs) => {
      checkDurability(this.#core.driver, wanted);
      const call = this.#nextCall();
      const entered = await this.#addAll(jobs, call);
      const mark = this.#keys.operation(call);
      const durability = await waitForDurability(this.#core.driver, mark, OPERATION_TTL_MS, wanted);
      return entered.map((each) => ({ ...each, durability }));
    });
    if (this.#durable.size < MAX_KINDS) this.#durable.set(name, kind);
    return kind;
  }

  async #addAll(jobs: readonly Addition[], call: string = this.#nextCall()): Promise<Entered[]> {
    const { jobs: stored, lanes, delayed, unique, windows, idle } = this.#keys;
    const names = { operation: this.#keys.operation(call), jobs: stored, ...lanes, delayed, unique, windows, idle };
    const ids = jobs.map(({ id }, at) => id ?? call + placeOf(at));
    const fields = jobs.flatMap(({ settings, record }, at) => [
      ids[at]!,
      String(settings.lane),
      settings.due,
      settings.uniqueKey,
      String(settings.uniqueMs),
      settings.group ?? "",
      record,
    ]);
    const given = jobs.some(({ id }) => id !== undefined);
    const { channel } = this.#core.wakeups;
    const args = { operationTtlMs: OPERATION_TTL_MS, channel, given, maxWaiting: this.#maxWaiting, fields };
    const refused = new Map(pairs(await runScript(this.#core.driver, add, names, args, this.#call)));
    return ids.map((id, at) => {
      const holder = refused.get(String(at));
      if (holder === undefined) return { status: "ok", id };
      return holder === "" ? { status: "full", id } : { status: "duplicate", id: holder };
    });
  }

  async #enterAll(jobs: readonly Addition[]): Promise<Entered[]> {
    const { jobs: stored, meta, lanes, delayed, unique, windows, reruns, workers, idle } = this.#keys;
    const call = this.#nextCall();
    const operation = this.#keys.operation(call);
    const names = { operation, jobs: stored, meta, ...lanes, delayed, unique, windows, reruns, workers, idle };
    const fields = jobs.flatMap(({ id, settings: { lane, due, uniqueKey, uniqueMode }, record }, at) => [
      id ?? call + placeOf(at),
      String(lane),
      due,
      uniqueKey,
      uniqueMode,
      record,
    ]);
    const args = {
      operationTtlMs: OPERATION_TTL_MS,
      channel: this.#core.wakeups.channel,
      keepMs: this.#resultTtlMs,
      outcome: jobs.find(({ outcome }) => outcome !== undefined)?.outcome ?? NOTHING,
      fields,
    };
    const answers = pairs(await runScript(this.#core.driver, enter, names, args, this.#call));
    return answers.map(([status, id]) => ({ status: status as Entered["status"], id }));
  }

  #nextCall(): string {
    this.#calls += 1;
    return `${this.#head}${this.#calls.toString(36)}`;
  }
}

function placeOf(at: number): string {
  return PLACES.slice(at * 2, at * 2 + 2);
}

function pairs<T>(flat: readonly T[]): [T, T][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2]!, flat[at * 2 + 1]!]);
}
