/** What the relay of an outbox may be given. */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import { type Duration, listOf, type OptionNames, toMs, toTimerMs, wholeBetween } from "../../base/options.ts";
import type { QueueAddOptions } from "../add-options.ts";
import { checkSource, type SqlSource } from "./sql.ts";

/** What a relay needs of a queue: any `Queue`. */
export interface OutboxQueue {
  readonly name: string;
  decode(bytes: Uint8Array): unknown;
  add(payload: never, options: QueueAddOptions): Promise<{ readonly status: string }>;
}

/** What a relay needs of a topic: any `Topic`. */
export interface OutboxTopic {
  readonly name: string;
  readonly outlet: OutboxOutlet;
}

export interface OutboxOutlet {
  readonly dedupeMs: number;
  publish(rows: readonly OutletRow[]): Promise<readonly { readonly status: string; readonly error?: Error }[]>;
}

export interface OutletRow {
  readonly id: string;
  readonly payload: Buffer;
  readonly options: object;
}

export interface OutboxRelayOptions {
  /** A pool (pg's `Pool`), or a database with `transaction` (PGlite). */
  readonly database: SqlSource;
  /** Rows of other queues are left for other relays. @default none */
  readonly queues?: readonly OutboxQueue[];
  /** Rows of other topics are left for other relays. Each knows ids (`dedupeFor`) for at least `remember`. @default none */
  readonly topics?: readonly OutboxTopic[];
  /** Rows per transaction, 1 to 200. @default 200 */
  readonly batch?: number;
  /** How often the table is looked at when it was empty. @default "500ms" */
  readonly poll?: Duration;
  /** Looks at once when an outbox with `notify` has added; takes one connection of the pool for itself. @default false */
  readonly listen?: boolean;
  /**
   * `table`: rows become jobs in the order of their INSERTs, by one relay at a time; the others stand by. `none`: all relays work at once.
   * @default "table"
   */
  readonly order?: "table" | "none";
  /** How long a queue, or a topic, knows the ids that came from here, for relays that died before they could delete a row. @default "1d" */
  readonly remember?: Duration;
  /** @default the first error of a relay is emitted as a process warning */
  readonly onError?: (error: unknown) => void;
}

export interface OutboxRelayStats {
  /** Rows that became jobs, or messages, by this relay. */
  readonly sent: number;
  /** Rows whose jobs or messages were there before, by a relay that died. */
  readonly duplicates: number;
  /** Rows put aside. */
  readonly failed: number;
}

export interface RelaySettings {
  readonly database: SqlSource;
  readonly queues: ReadonlyMap<string, OutboxQueue>;
  readonly topics: ReadonlyMap<string, OutboxOutlet>;
  readonly batch: number;
  readonly pollMs: number;
  readonly listen: boolean;
  readonly isOrdered: boolean;
  readonly rememberMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
}

export const RELAY_OPTIONS: OptionNames<OutboxRelayOptions> = {
  database: true,
  queues: true,
  topics: true,
  batch: true,
  poll: true,
  listen: true,
  order: true,
  remember: true,
  onError: true,
};

/** As many as one script of a queue takes: all of a batch is added, or none. */
const MAX_BATCH = 200;
function isQueue(queue: OutboxQueue): boolean {
  return typeof queue?.decode === "function" && typeof queue.name === "string";
}

/** Each of its methods is looked at: one of another version may have no outlet. */
export function isTopic(topic: { readonly name: string; readonly outlet: object } | undefined): boolean {
  return typeof topic?.name === "string" && typeof topic.outlet === "object" && "encode" in topic.outlet;
}

export function relaySettings(options: OutboxRelayOptions): RelaySettings {
  const { batch = MAX_BATCH, poll = "500ms", listen = false, order = "table", remember = "1d", onError } = options;
  const queues = listOf("queues", options.queues ?? [], "queues");
  const topics = listOf("topics", options.topics ?? [], "topics");
  if (!queues.every(isQueue))
    throw new InvalidArgumentError("queues", "a list of queues of hf.queue(name)", options.queues);
  if (!topics.every(isTopic))
    throw new InvalidArgumentError("topics", "a list of topics of hf.topic(name)", options.topics);
  if (queues.length + topics.length === 0)
    throw new InvalidArgumentError("queues", "at least one queue, or one of `topics`", options.queues);
  const rememberMs = toMs("remember", remember, 60_000);
  for (const { name, outlet } of topics) checkDedupe(name, outlet, rememberMs);
  if (order !== "table" && order !== "none") throw new InvalidArgumentError("order", '"table" or "none"', order);
  if (typeof listen !== "boolean") throw new InvalidArgumentError("listen", "a boolean", listen);
  if (onError !== undefined && typeof onError !== "function")
    throw new InvalidArgumentError("onError", "a function", onError);
  return {
    database: checkSource("database", options.database),
    queues: new Map(queues.map((queue) => [queue.name, queue])),
    topics: new Map(topics.map(({ name, outlet }) => [name, outlet])),
    batch: wholeBetween("batch", batch, 1, MAX_BATCH),
    pollMs: toTimerMs("poll", poll, 10),
    listen,
    isOrdered: order === "table",
    rememberMs,
    onError,
  };
}

/** Else a row that is sent again after a death would be published twice. */
function checkDedupe(name: string, { dedupeMs }: OutboxOutlet, rememberMs: number): void {
  if (dedupeMs >= rememberMs) return;
  const expected = `topics whose dedupeFor is at least remember, ${rememberMs} ms: make that shorter, or dedupeFor longer`;
  throw new InvalidArgumentError("topics", expected, said(`topic ${JSON.stringify(name)} with ${dedupeMs} ms`));
}
