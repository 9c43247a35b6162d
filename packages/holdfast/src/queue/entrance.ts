/** How jobs come into a queue: through middleware, with their options, one by one, many at once, or as a flow. */
import { listOf, parseOptions } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { currentText } from "../core/observe/trace.ts";
import { type Entered, MAX_ADDITIONS } from "./additions.ts";
import { cancelOutcome, TAKEN_OVER } from "./jobs/changes.ts";
import type { QueueAddResult } from "./add-result.ts";
import {
  ADD_MANY_OPTIONS,
  ADD_OPTIONS,
  type AddSettings,
  addSettings,
  type QueueAddManyOptions,
  type QueueAddOptions,
  type QueueChildOptions,
} from "./add-options.ts";
import { policyOf, QueueChild } from "./flows/child.ts";
import { planOf } from "./flows/plan.ts";
import { encodeRecord } from "./record.ts";
import { withRoom } from "./room.ts";
import type { MiddlewareChain } from "./workers/middleware.ts";
import type { QueueParts } from "./parts.ts";

const FLOW_BYTES = 9;
const MIN_PLAIN = 50;
/** Of a job without options: most have none. */
const PLAIN = addSettings({});

export class Entrance<Payload, Result> {
  readonly #parts: QueueParts<Payload, Result>;
  readonly #middleware: MiddlewareChain;
  readonly #added: (entered: Entered) => QueueAddResult<Result>;

  constructor(
    parts: QueueParts<Payload, Result>,
    middleware: MiddlewareChain,
    added: (entered: Entered) => QueueAddResult<Result>,
  ) {
    this.#parts = parts;
    this.#middleware = middleware;
    this.#added = added;
  }

  add(payload: Payload, options: QueueAddOptions | undefined): Promise<QueueAddResult<Result>> {
    if (!this.#middleware.isAdding) return this.#add(payload, options);
    const { where } = this.#parts.operations;
    const job = { payload, options: parseOptions(where, options, ADD_OPTIONS, (given) => given) };
    return this.#middleware.add(job, (last) => this.#add(last.payload as Payload, last.options));
  }

  /** @param add adds one of them */
  async addMany(
    payloads: Iterable<Payload>,
    options: QueueAddManyOptions | undefined,
    add: (payload: Payload) => Promise<QueueAddResult<Result>>,
  ): Promise<QueueAddResult<Result>[]> {
    const jobs = listOf("payloads", payloads, "payloads");
    const settings = parseOptions(this.#parts.operations.where, options, ADD_MANY_OPTIONS, addSettings);
    const arePlain = this.#arePlain(settings);
    // Fewer share a script with what else is added in the same tick.
    const task = (chunk: readonly Payload[]): Promise<QueueAddResult<Result>[]> =>
      arePlain && chunk.length >= MIN_PLAIN ? this.#addPlain(chunk, settings) : Promise.all(chunk.map(add));
    return inChunks(jobs, task, { size: MAX_ADDITIONS });
  }

  child(payload: Payload, { onDead = "fail", ...rest }: QueueChildOptions): QueueChild {
    const { core, name, values, partitions } = this.#parts;
    const settings = addSettings(rest);
    const encoded = values.payload.encode(payload, values.context);
    const caller = currentText(core.trace);
    return new QueueChild({
      queue: name,
      place: () => partitions.for(settings),
      lane: settings.lane,
      due: settings.due,
      record: (waiting) => encodeRecord(settings, encoded, caller, waiting),
      policy: policyOf(onDead),
      children: settings.children,
    });
  }

  #record(settings: AddSettings, payload: Payload): Buffer {
    const encoded = this.#parts.values.payload.encode(payload, this.#parts.values.context);
    return encodeRecord(settings, encoded, currentText(this.#parts.core.trace));
  }

  async #add(payload: Payload, options: QueueAddOptions | undefined): Promise<QueueAddResult<Result>> {
    const settings = this.#settingsOf(options);
    if (settings.children.length > 0) return this.#addFlow(payload, settings);
    const { core, partitions, values } = this.#parts;
    const { id, waitMs, uniqueMode } = settings;
    const record = this.#record(settings, payload);
    const { additions } = partitions.for(settings);
    const outcome = uniqueMode === "c" ? cancelOutcome(values, TAKEN_OVER) : undefined;
    const enter = (): Promise<Entered> => additions.add({ id, settings, record, outcome });
    return this.#added(await (waitMs === 0 ? enter() : withRoom(core.driver.runtime, waitMs, enter)));
  }

  #settingsOf(options: QueueAddOptions | undefined): AddSettings {
    const { durability } = this.#parts.settings;
    const given =
      options === undefined ? PLAIN : parseOptions(this.#parts.operations.where, options, ADD_OPTIONS, addSettings);
    return durability === undefined || given.durability !== undefined ? given : { ...given, durability };
  }

  /** Nothing is done for each job of `addMany` but to add it. */
  #arePlain(settings: AddSettings): boolean {
    const { all, first } = this.#parts.partitions;
    if (all.length > 1 || this.#parts.settings.durability !== undefined) return false;
    return first.additions.arePlain(settings) && !this.#middleware.isAdding && !this.#parts.operations.areObserved;
  }

  async #addPlain(payloads: readonly Payload[], settings: AddSettings): Promise<QueueAddResult<Result>[]> {
    const jobs = payloads.map((payload) => ({ id: undefined, settings, record: this.#record(settings, payload) }));
    const entered = await this.#parts.partitions.first.additions.addPlain(jobs);
    return entered.map((each) => this.#added(each));
  }

  /** The whole flow is written down in one step, and is added from there: by this process, or by a worker if it dies. */
  async #addFlow(payload: Payload, settings: AddSettings): Promise<QueueAddResult<Result>> {
    const partition = this.#parts.partitions.for(settings);
    const head = this.#parts.core.driver.runtime.randomBytes(FLOW_BYTES).toString("base64url");
    const id = settings.id ?? `${partition.idHead}${head}`;
    const plan = planOf(head, [{ queue: this.#parts.name, partition: partition.index, id }], settings.children);
    const record = this.#record(settings, payload);
    const { post } = partition;
    partition.events?.ask();
    const status = await post.flows.start(head, { id, lane: settings.lane, record }, plan);
    if (status === "ok") await post.carryOut(head, plan);
    return this.#added({ status, id });
  }
}
