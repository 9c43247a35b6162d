/** The server's side of one job's steps. */
import { listOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import { signal, step } from "../scripts.gen.ts";

/** Who writes: the claim of the job that is still its own. */
export interface StepWriter {
  readonly id: string;
  readonly fence: number;
  readonly active: string;
}

export class StepStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #call: UnclassedCall;

  constructor(core: Core, keys: QueueKeys, timeoutMs: number | undefined) {
    this.#core = core;
    this.#keys = keys;
    this.#call = { op: "queue.step", timeoutMs };
  }

  async load(id: string): Promise<Map<string, Buffer>> {
    const key = this.#keys.steps(id);
    const flat = listOf(
      await this.#core.driver.send(["HGETALL", key], { ...this.#call, class: "read" }, key),
      "queue.step",
      id,
    );
    return new Map(
      Array.from({ length: flat.length / 2 }, (_, at) => [String(flat[at * 2]), flat[at * 2 + 1] as Buffer]),
    );
  }

  /** False where the claim is over. */
  save(writer: StepWriter, field: string, value: Buffer): Promise<boolean> {
    return this.#write(writer, { field, value, afterMs: -1 });
  }

  /** Remembers the time so long after now, by the server's clock, unless one is remembered. */
  saveTime(writer: StepWriter, field: string, afterMs: number): Promise<boolean> {
    return this.#write(writer, { field, value: "", afterMs: Math.ceil(afterMs) });
  }

  async signal(id: string, name: string, value: Buffer): Promise<"ok" | "missing"> {
    const { jobs, meta, delayed, dead, idle, lanes } = this.#keys;
    const names = { jobs, meta, steps: this.#keys.steps(id), ...lanes, delayed, dead, idle };
    const args = { channel: this.#core.wakeups.channel, id, name, value };
    const call = { ...this.#call, op: "queue.signal", key: id };
    return (await runScript(this.#core.driver, signal, names, args, call)).status;
  }

  async #write(
    { id, fence, active }: StepWriter,
    written: { readonly field: string; readonly value: Buffer | string; readonly afterMs: number },
  ): Promise<boolean> {
    const names = { active, meta: this.#keys.meta, steps: this.#keys.steps(id) };
    const args = { id, fence, ...written };
    return (await runScript(this.#core.driver, step, names, args, { ...this.#call, key: id })).status === "ok";
  }
}
