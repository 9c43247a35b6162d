/** Pages of jobs of one state, partition after partition. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../../base/options.ts";
import { checkName } from "../check-name.ts";
import type { Partitions } from "../partitions.ts";
import type { QueueValues } from "../values.ts";
import { infoFrom, type QueueJobInfo, type QueueJobState, ROW } from "./info.ts";
import type { Place } from "./store.ts";

export interface QueuePageOptions {
  readonly state: QueueJobState;
  /** Only jobs that were added with this name: those that are looked at are read all the same. @default all */
  readonly name?: string;
  /** Of the page before. @default the first page */
  readonly cursor?: string | undefined;
  /** Jobs that are looked at, 1 to 500. @default 50 */
  readonly limit?: number;
}

export interface QueuePage<Payload, Result = unknown> {
  /** May be fewer than `limit`, also on a page that is not the last. */
  readonly jobs: readonly QueueJobInfo<Payload, Result>[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export const MAX_PAGE = 500;
/** What one script reads: about a millisecond of the server's time. */
const MAX_READ = 100;
const STATES: readonly QueueJobState[] = ["waiting", "delayed", "blocked", "unhandled", "active", "dead", "completed"];
const PAGE_OPTIONS: OptionNames<QueuePageOptions> = { state: true, name: true, cursor: true, limit: true };
const START: Place = { source: "", anchor: "", at: 0 };

export class QueuePages<Payload, Result> {
  readonly #partitions: Partitions;
  readonly #values: QueueValues<Payload, Result>;

  constructor(partitions: Partitions, values: QueueValues<Payload, Result>) {
    this.#partitions = partitions;
    this.#values = values;
  }

  async page(options: QueuePageOptions): Promise<QueuePage<Payload, Result>> {
    const { state, name, cursor, limit = 50 } = givenOptions(options, PAGE_OPTIONS);
    if (name !== undefined) checkName("name", name);
    const page = await this.read(checkState(state), cursor, wholeBetween("limit", limit, 1, MAX_PAGE));
    return name === undefined ? page : { ...page, jobs: page.jobs.filter((job) => job.name === name) };
  }

  async *entries(state: QueueJobState): AsyncGenerator<QueueJobInfo<Payload, Result>> {
    checkState(state);
    for await (const jobs of this.chunks(state)) yield* jobs;
  }

  async *chunks(state: QueueJobState): AsyncGenerator<readonly QueueJobInfo<Payload, Result>[]> {
    let cursor: string | undefined;
    do {
      const page = await this.read(state, cursor, MAX_READ);
      yield page.jobs;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async read(state: QueueJobState, cursor: unknown, count: number): Promise<QueuePage<Payload, Result>> {
    const first = await this.#readOnce(state, cursor, Math.min(count, MAX_READ));
    if (count <= MAX_READ || first.cursor === undefined) return first;
    const rest = await this.read(state, first.cursor, count - MAX_READ);
    return { jobs: [...first.jobs, ...rest.jobs], cursor: rest.cursor };
  }

  async #readOnce(state: QueueJobState, cursor: unknown, count: number): Promise<QueuePage<Payload, Result>> {
    const [partition, place] = placeOf(cursor, this.#partitions.all.length);
    const { ids, rows, ...next } = await this.#partitions.all[partition]!.jobs.page(state, place, count);
    const jobs = ids.map((id, at) => infoFrom(this.#values, id, rows.slice(at * ROW, (at + 1) * ROW)));
    return { jobs, cursor: this.#cursorTo(partition, { ...next, at: Number(next.at) }) };
  }

  #cursorTo(partition: number, { source, anchor, at }: Place): string | undefined {
    if (source !== "") return Buffer.from(JSON.stringify([partition, source, anchor, at])).toString("base64url");
    if (partition === this.#partitions.all.length - 1) return undefined;
    return Buffer.from(JSON.stringify([partition + 1, "", "", 0])).toString("base64url");
  }
}

export function checkState(state: unknown): QueueJobState {
  if (STATES.includes(state as QueueJobState)) return state as QueueJobState;
  throw new InvalidArgumentError("state", `one of ${STATES.join(", ")}`, state);
}

function placeOf(cursor: unknown, partitions: number): [number, Place] {
  if (cursor === undefined) return [0, START];
  const parts = typeof cursor === "string" ? parsed(cursor) : undefined;
  const [partition, source, anchor, at] = Array.isArray(parts) ? (parts as unknown[]) : [];
  const isPlace = typeof source === "string" && typeof anchor === "string" && Number.isFinite(at);
  if (isPlace && Number.isInteger(partition) && (partition as number) >= 0 && (partition as number) < partitions)
    return [partition as number, { source, anchor, at: at as number }];
  throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}
