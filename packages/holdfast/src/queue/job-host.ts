/** What a job may ask of the server while it runs, beside how it ends. */
import { createHash } from "node:crypto";
import { LeaseLostError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { Blocked } from "./failure.ts";
import type { QueueChild } from "./flows/child.ts";
import { FanIn, goesOn, type QueueChildResult } from "./flows/fan-in.ts";
import { type Parent, planOf } from "./flows/plan.ts";
import { Reports } from "./jobs/reports.ts";
import type { QueueSettings } from "./options.ts";
import type { Partition } from "./partition.ts";
import type { Run } from "./run.ts";
import type { StepStore } from "./steps/step-store.ts";
import { Steps, type StepValues } from "./steps/steps.ts";
import { type QueueValues, stepValues } from "./values.ts";
import type { WorkerStore } from "./worker-store.ts";

export interface JobHostParts {
  readonly core: Core;
  readonly queue: string;
  readonly partition: Partition;
  readonly store: WorkerStore;
  readonly values: QueueValues<unknown, unknown>;
  readonly settings: QueueSettings;
}

export class JobHost {
  readonly reports: Reports;
  readonly #queue: string;
  readonly #partition: Partition;
  readonly #store: WorkerStore;
  readonly #fanIn: FanIn;
  readonly #steps: StepStore;
  readonly #values: StepValues;
  readonly #runtime: Runtime;

  constructor({ core, queue, partition, store, values, settings }: JobHostParts) {
    this.#queue = queue;
    this.#partition = partition;
    this.#store = store;
    this.#fanIn = new FanIn(values.told);
    this.#steps = partition.steps;
    this.#values = stepValues(values);
    this.#runtime = core.driver.runtime;
    this.reports = new Reports(core, partition.keys, store.keys, values, settings.timeoutMs);
  }

  steps(run: Run): Steps {
    const { active } = this.#store.keys;
    const { id, fence } = run;
    const parts = {
      run,
      writer: { id, fence, active },
      store: this.#steps,
      values: this.#values,
      runtime: this.#runtime,
    };
    run.steps ??= new Steps(parts);
    return run.steps;
  }

  async children(run: Run): Promise<QueueChildResult[]> {
    return this.#fanIn.decode(await this.#partition.post.flows.children(run.id));
  }

  /** Those with this name that have been spawned, once all of them have ended; else the run ends here, and the job waits for them. */
  async spawn(run: Run, name: string, children: readonly QueueChild[]): Promise<QueueChildResult[]> {
    const { post } = this.#partition;
    const steps = this.steps(run);
    steps.take("j", name);
    const head = headOf(run, name);
    const all = await post.flows.children(run.id);
    const own = new Map([...all].filter(([ref]) => ref.slice(0, ref.lastIndexOf("/")) === head));
    const results = this.#fanIn.decode(own);
    const hasEnded = results.every(({ status }) => status !== "pending") || goesOn(own);
    if (hasEnded && (own.size > 0 || children.length === 0)) return results;
    await steps.refuseWhileUndoing();
    if (own.size === 0) {
      const parent: Parent = { queue: this.#queue, partition: this.#partition.index, id: run.id };
      const plan = planOf(head, [parent], children);
      const waiters = { parents: [run.id], active: this.#store.keys.active, fence: run.fence };
      // Of its own, as an earlier run may have begun to write one down.
      const name = `${head}.${this.#runtime.randomUUID()}`;
      if (!(await post.flows.extend(name, plan, waiters)))
        throw new LeaseLostError("expired", `job ${run.id}: it was given to another worker`, { op: "queue.spawn" });
      await post.carryOut(name, plan);
    }
    throw run.suspend(new Blocked(`the job waits for what it has spawned as ${name}`));
  }
}

const MAX_HEAD = 120;

/** What the ids of spawned jobs begin with: not as for an earlier job with the same id, and not longer than an id may be. */
function headOf({ id, record }: Run, name: string): string {
  const head = `${id}/${record.addedAt.toString(36)}.${encodeURIComponent(name)}`;
  return head.length <= MAX_HEAD ? head : createHash("sha256").update(head).digest("base64url");
}
