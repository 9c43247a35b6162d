/** Jobs with callbacks when all of them have ended: each callback is a job that waits for all others, and is released, or dropped, once. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { OptionNames } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import { currentText } from "../../core/observe/trace.ts";
import { Operations } from "../../core/observe/observe.ts";
import { addSettings } from "../add-options.ts";
import { checkName } from "../check-name.ts";
import type { Partition } from "../partition.ts";
import type { Partitions } from "../partitions.ts";
import { encodeRecord } from "../record.ts";
import { checkChildren, QueueChild } from "./child.ts";
import { OPEN } from "./fan-in.ts";
import { type Parent, planOf } from "./plan.ts";

/** Payloads of jobs of the queue that the batch belongs to. */
export interface QueueBatchOptions<Payload> {
  /** Names the batch, so that another process can add to it and close it; free again an hour after it was closed. @default a random one */
  readonly id?: string;
  /** When all jobs have ended, dead ones included. */
  readonly onComplete?: Payload;
  /** When all jobs have ended well. */
  readonly onSuccess?: Payload;
  /** When the first job is dead. */
  readonly onDead?: Payload;
}

export const BATCH_OPTIONS: OptionNames<QueueBatchOptions<unknown>> = {
  id: true,
  onComplete: true,
  onSuccess: true,
  onDead: true,
};

interface Callback {
  readonly kind: string;
  /** See `flow-ended.lua`. */
  readonly policy: string;
  readonly payload: Buffer;
}

export interface BatchSettings {
  readonly id: string | undefined;
  readonly callbacks: readonly Callback[];
}

export function batchSettings<Payload>(
  { id, onComplete, onSuccess, onDead }: QueueBatchOptions<Payload>,
  encode: (payload: Payload) => Buffer,
): BatchSettings {
  const given = [
    { kind: "complete", policy: "i", payload: onComplete },
    { kind: "success", policy: "s", payload: onSuccess },
    { kind: "dead", policy: "d", payload: onDead },
  ];
  const callbacks = given.flatMap(({ payload, ...rest }) =>
    payload === undefined ? [] : [{ ...rest, payload: encode(payload) }],
  );
  if (callbacks.length === 0)
    throw new InvalidArgumentError("onComplete", "at least one of onComplete, onSuccess and onDead", undefined);
  if (id !== undefined && checkName("id", id).length > MAX_ID)
    throw new InvalidArgumentError("id", `at most ${MAX_ID} characters, as the ids of its jobs begin with it`, id);
  return { id, callbacks };
}

const ID_BYTES = 9;
const MAX_ID = 150;
/** Each callback of a batch waits for each of them: about two milliseconds of the server's time. */
const MAX_PART = 100;
const NOTHING = Buffer.alloc(0);

/**
 * @example
 * const batch = reports.batch({ onSuccess: { kind: "send" }, onDead: { kind: "alert" } });
 * await batch.add(pages.map((page) => images.child(page)));
 * await batch.close();                                       // nothing can be added any more; an empty batch has succeeded
 */
export class QueueBatch {
  readonly id: string;
  readonly #operations: Operations;
  readonly #queue: string;
  readonly #partition: Partition;
  readonly #core: Core;
  /** What the ids of its callbacks begin with. */
  readonly #name: string;
  readonly #callbacks: readonly Callback[];
  readonly #parents: readonly (Parent & { readonly policy: string })[];
  #opened: Promise<void> | undefined;

  constructor(core: Core, queue: string, partitions: Partitions, { id, callbacks }: BatchSettings) {
    this.#operations = new Operations("queue", queue);
    this.id = id ?? core.driver.runtime.randomBytes(ID_BYTES).toString("base64url");
    this.#core = core;
    this.#queue = queue;
    this.#partition = partitions.of(this.id);
    this.#callbacks = callbacks;
    const { index: partition, idHead } = this.#partition;
    this.#name = `${idHead}${this.id}`;
    this.#parents = callbacks.map(({ kind, policy }) => ({
      queue,
      partition,
      id: `${this.#name}/${kind}`,
      policy,
    }));
  }

  /**
   * Adds jobs. `closed`: it was closed, or its callbacks have run; nothing was added (of more than 100 jobs nothing more, where it is closed meanwhile).
   * Cost: a script per 100 jobs, and one per 100 jobs and slot; the first call has one more.
   */
  add(children: readonly QueueChild[]): Promise<{ readonly status: "ok" | "closed" }> {
    return this.#operations.run("batch.add", this.id, async () => {
      const jobs = checkChildren("children", children);
      await this.#open();
      for (const some of this.#parts(jobs)) if (!(await this.#add(some))) return { status: "closed" };
      return { status: "ok" };
    });
  }

  /** Jobs that do not wait for others go in pieces, as each of the callbacks waits for each of them. */
  #parts(jobs: readonly QueueChild[]): (readonly QueueChild[])[] {
    if (jobs.length <= MAX_PART || jobs.some((job) => QueueChild.partsOf(job).height > 0)) return [jobs];
    return Array.from({ length: Math.ceil(jobs.length / MAX_PART) }, (_, at) =>
      jobs.slice(at * MAX_PART, (at + 1) * MAX_PART),
    );
  }

  async #add(jobs: readonly QueueChild[]): Promise<boolean> {
    const head = `${this.id}/${this.#core.driver.runtime.randomBytes(ID_BYTES).toString("base64url")}`;
    const plan = planOf(head, this.#parents, jobs);
    const waiters = { parents: this.#parents.map((parent) => parent.id), open: OPEN, batch: this.#name };
    const { post } = this.#partition;
    if (!(await post.flows.extend(head, plan, waiters))) return false;
    await post.carryOut(head, plan);
    return true;
  }

  /** Lets the callbacks run once what was added has ended. Idempotent. Cost: a script; one more where nothing was added. */
  close(): Promise<void> {
    return this.#operations.run("batch.close", this.id, async () => {
      await this.#open();
      const { flows } = this.#partition.post;
      // In one step, so that what is added at the same time is waited for by all of them or by none.
      await flows.tellAll(
        this.#parents.map(({ id, policy }) => ({ id, policy, ref: OPEN, status: "o", outcome: NOTHING })),
      );
    });
  }

  #open(): Promise<void> {
    this.#opened ??= this.#addCallbacks().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #addCallbacks(): Promise<void> {
    const { flows } = this.#partition.post;
    const settings = addSettings({});
    const caller = currentText(this.#core.trace);
    const waits = [OPEN, JSON.stringify([this.#queue, this.id])];
    const nodes = this.#callbacks.map(({ payload }, at) => {
      const { id, partition } = this.#parents[at]!;
      const record = encodeRecord(settings, payload, caller);
      return { queue: this.#queue, partition, id, level: 0, lane: settings.lane, due: "", waits, waiting: [], record };
    });
    await flows.open(this.#name, nodes);
  }
}
