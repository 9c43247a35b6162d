/** The server's side of single jobs: looked at, changed, cancelled, removed. */
import { bytesOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { Post } from "../flows/post.ts";
import type { QueueKeys } from "../keys.ts";
import type { QueueSettings } from "../options.ts";
import {
  cancel,
  drain,
  type DrainResult,
  find,
  obliterate,
  page,
  type PageResult,
  remove,
  retry,
  update,
  type UpdateResult,
} from "../scripts.gen.ts";
import type { QueueJobState } from "./info.ts";

/** Where a page of a partition ended; an empty source: where the first one begins. */
export interface Place {
  readonly source: string;
  readonly anchor: string;
  readonly at: number;
}

export interface Change {
  /** 1 to 3, or empty. */
  readonly lane: string;
  /** `now`, `+milliseconds` from now, milliseconds since 1970, or empty. */
  readonly due: string;
  readonly payload: Buffer | undefined;
  /** Empty: none; undefined: as it is. */
  readonly group: string | undefined;
}

const NOTHING = Buffer.alloc(0);

export class JobStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #settings: QueueSettings;
  readonly #post: Post;

  constructor(core: Core, keys: QueueKeys, settings: QueueSettings, post: Post) {
    this.#core = core;
    this.#keys = keys;
    this.#settings = settings;
    this.#post = post;
  }

  /** What the server knows of a job, or undefined. */
  async find(id: string): Promise<readonly Buffer[] | undefined> {
    const { jobs, meta, kept, completed } = this.#keys;
    const args = { keepAgeMs: this.#settings.keep.completed.ageMs, id };
    const call = this.#call("queue.get", id);
    const answer = await runScript(this.#core.driver, find, { jobs, meta, kept, completed }, args, call);
    return answer.status === "missing" ? undefined : answer.row;
  }

  page(state: QueueJobState, place: Place, count: number): Promise<PageResult> {
    const { jobs, meta } = this.#keys;
    const { keep } = this.#settings;
    const ageMs = state === "completed" ? keep.completed.ageMs : state === "dead" ? keep.dead.ageMs : 0;
    const args = { state, ...place, count, ageMs };
    return runScript(this.#core.driver, page, { jobs, meta }, args, this.#call("queue.page"));
  }

  async cancel(ids: readonly string[], outcome: Buffer): Promise<string[]> {
    const { jobs, meta, dead, unique, workers, idle, letters, lanes } = this.#keys;
    const names = { jobs, meta, ...lanes, dead, unique, workers, idle, letters };
    const args = { channel: this.#channel, keepMs: this.#settings.resultTtlMs, barMs: 0, outcome, ids };
    const call = this.#call("queue.cancel", ids[0]);
    return this.#heard(await runScript(this.#core.driver, cancel, names, args, call)).answers;
  }

  async update(id: string, { lane, due, payload, group }: Change): Promise<UpdateResult["status"]> {
    const { jobs, delayed, dead, workers, idle, lanes } = this.#keys;
    const names = { jobs, ...lanes, delayed, dead, workers, idle };
    const hasPayload = payload !== undefined;
    const changes = { lane, due, hasPayload, payload: payload ?? NOTHING, regroup: group !== undefined };
    const args = { channel: this.#channel, id, ...changes, group: group ?? "" };
    const answer = await runScript(this.#core.driver, update, names, args, this.#call("queue.update", id));
    return answer.status;
  }

  retry(ids: readonly string[]): Promise<string[]> {
    const { jobs, meta, dead, unique, completed, kept, idle, blocked, lanes } = this.#keys;
    const names = { jobs, meta, ...lanes, dead, unique, completed, kept, idle, blocked };
    const args = { channel: this.#channel, ids };
    return runScript(this.#core.driver, retry, names, args, this.#call("queue.retry", ids[0]));
  }

  async remove(ids: readonly string[]): Promise<string[]> {
    const { jobs, meta, dead, unique, workers, completed, kept, idle, letters } = this.#keys;
    const names = { jobs, meta, dead, unique, workers, completed, kept, idle, letters };
    const args = { channel: this.#channel, ids };
    const call = this.#call("queue.remove", ids[0]);
    return this.#heard(await runScript(this.#core.driver, remove, names, args, call)).answers;
  }

  async drain(most: number, behind: string): Promise<DrainResult> {
    const { jobs, meta, delayed, unique, letters, lanes } = this.#keys;
    const names = { jobs, meta, ...lanes, delayed, unique, letters };
    const args = { most, behind, channel: this.#channel };
    return this.#heard(await runScript(this.#core.driver, drain, names, args, this.#call("queue.drain")));
  }

  async obliterate(force: boolean): Promise<"ok" | "busy" | "more"> {
    const { jobs, workers, meta, lanes, delayed, dead, unique, windows, reruns, ghosts } = this.#keys;
    const { completed, kept, control, blocked, letters } = this.#keys;
    const parts = [meta, ...Object.values(lanes), delayed, dead, unique, windows, reruns, ghosts];
    parts.push(completed, kept, control, blocked, letters);

    const call = this.#call("queue.obliterate");
    const answer = await runScript(this.#core.driver, obliterate, { jobs, workers, parts }, { force }, call);
    return answer.status;
  }

  /** Lines one behind the other. */
  async logs(id: string): Promise<Buffer> {
    const { meta, kept } = this.#keys;
    for (const key of [meta, kept]) {
      const call = { op: "queue.logs", class: "read", key: id, timeoutMs: this.#settings.timeoutMs } as const;
      const lines = bytesOf(await this.#core.driver.send(["HGET", key, `l${id}`], call, key), "queue.logs", id);
      if (lines !== undefined) return lines;
    }
    return NOTHING;
  }

  /** Those that waited for a job that is gone hear of it now, not when a worker comes by. */
  #heard<Answer extends { readonly letters: number }>(answer: Answer): Answer {
    if (answer.letters > 0) this.#post.kick();
    return answer;
  }

  get #channel(): string {
    return this.#core.wakeups.channel;
  }

  #call(op: string, key?: string): UnclassedCall {
    return { op, key, timeoutMs: this.#settings.timeoutMs };
  }
}
