/** The server's side of the limits and groups of one partition. */
import { listOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import {
  groupPause,
  groupResume,
  groupSet,
  groupsLook,
  groupsPage,
  type GroupsPageResult,
  limitsSet,
} from "../scripts.gen.ts";
import type { LimitsSettings } from "./options.ts";

/** What is known of a group. */
export type GroupRow = GroupsPageResult[number];

/** About half a millisecond of the server's time. */
const MAX_LOOKED = 100;

export class GroupStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #timeoutMs: number | undefined;

  constructor(core: Core, keys: QueueKeys, timeoutMs: number | undefined) {
    this.#core = core;
    this.#keys = keys;
    this.#timeoutMs = timeoutMs;
  }

  async setLimits(settings: LimitsSettings): Promise<void> {
    const { jobs, control, workers, idle } = this.#keys;
    const args = { ...settings, channel: this.#channel };
    await runScript(this.#core.driver, limitsSet, { jobs, control, workers, idle }, args, this.#call("queue.limits"));
  }

  async limits(): Promise<LimitsSettings> {
    const { control } = this.#keys;
    const call = { op: "queue.limits", class: "read", timeoutMs: this.#timeoutMs } as const;
    const reply = await this.#core.driver.send(["HMGET", control, "concurrency", "rate", "perMs"], call, control);
    const [concurrency, rate, perMs] = listOf(reply, "queue.limits", control).map(Number);
    return { concurrency: concurrency!, rate: rate!, perMs: perMs! };
  }

  /** `text` is empty where the group is to have no limits of its own. */
  async set(group: string, text: string): Promise<void> {
    const { jobs, limits, control, idle } = this.#keys;
    const args = { group, text, channel: this.#channel };
    await runScript(this.#core.driver, groupSet, { jobs, limits, control, idle }, args, this.#call("queue.groups.set"));
  }

  async textOf(group: string): Promise<string | undefined> {
    const { limits } = this.#keys;
    const call = { op: "queue.groups.get", class: "read", timeoutMs: this.#timeoutMs } as const;
    const reply = await this.#core.driver.send(["HGET", limits, group], call, limits);
    return reply === null ? undefined : String(reply);
  }

  /** Groups without limits of their own, after the default has changed. */
  async lookAtAll(): Promise<void> {
    const { known, idle } = this.#keys;
    let cursor = "";
    for (;;) {
      const args = { cursor, count: MAX_LOOKED, channel: this.#channel };
      const answer = await runScript(
        this.#core.driver,
        groupsLook,
        { known, idle },
        args,
        this.#call("queue.groups.set"),
      );
      if (answer.status === "ok") return;
      ({ cursor } = answer);
    }
  }

  async pause(group: string): Promise<void> {
    const { jobs } = this.#keys;
    await runScript(this.#core.driver, groupPause, { jobs }, { group }, this.#call("queue.groups.pause"));
  }

  async resume(group: string): Promise<void> {
    const { jobs, idle } = this.#keys;
    const args = { group, channel: this.#channel };
    await runScript(this.#core.driver, groupResume, { jobs, idle }, args, this.#call("queue.groups.resume"));
  }

  page(cursor: string, count: number): Promise<GroupRow[]> {
    const { known } = this.#keys;
    return runScript(this.#core.driver, groupsPage, { known }, { cursor, count }, this.#call("queue.groups.page"));
  }

  get #channel(): string {
    return this.#core.wakeups.channel;
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#timeoutMs };
  }
}
