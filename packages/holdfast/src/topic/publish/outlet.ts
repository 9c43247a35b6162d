/**
 * The way into a topic for messages that are kept elsewhere first: rows of an outbox, in their order. What has not been accepted holds up what is
 * behind it in its partition, so that no message overtakes another of its key; its id makes it safe to send it again.
 */
import { CodecError, InvalidArgumentError, said } from "../../base/errors.ts";
import { partitionOf } from "../partition.ts";
import type { TopicSource } from "../source.ts";
import { envelopeOf, type TopicPublishOptions } from "./options.ts";
import { Publisher } from "./publisher.ts";

/** A message as it is kept. */
export interface TopicOutletRow {
  readonly id: string;
  /** As `encode` has made it. */
  readonly payload: Buffer;
  /** As `publish` takes them. */
  readonly options: TopicPublishOptions;
}

/** `refused`: it will never get through. `failed`: it may the next time; `held`: so may this one, which is behind it. */
export type TopicOutletFate =
  | { readonly status: "ok" | "duplicate" | "full" | "held" }
  | { readonly status: "refused" | "failed"; readonly error: Error };

/** With room for keys, ids and headers: what is sent together is in the log as a whole, or not at all. */
const CHUNK_BYTES = 32_768;
const CHUNK_MESSAGES = 200;
const OVERHEAD_BYTES = 64;
const HELD: TopicOutletFate = { status: "held" };

export class TopicOutlet<T> {
  /** How long the topic knows an id. */
  readonly dedupeMs: number;
  readonly #source: TopicSource<T>;
  /** Of its own: nobody else's messages are between these. */
  readonly #publisher: Publisher<T>;

  /** @throws InvalidArgumentError for a topic that keeps the newest of each key: its messages are written in another way */
  constructor(source: TopicSource<T>) {
    const { label, name, settings } = source;
    if (settings.latest !== undefined)
      throw new InvalidArgumentError("topic", "one without `latest`", said(name), { where: label });
    this.#source = source;
    this.#publisher = new Publisher(source);
    this.dedupeMs = source.settings.retention.dedupeMs;
  }

  /** Returns a random id for a message. No I/O. */
  newId(): string {
    return this.#source.core.driver.runtime.randomUUID();
  }

  /** Returns the bytes as which a message is kept: checked by the schema, serialised, compressed and encrypted as the topic's. No I/O. @throws InvalidArgumentError for options that `publish` would refuse @throws CodecError */
  encode(message: T, options?: TopicPublishOptions): Buffer {
    const { codec, label, settings } = this.#source;
    try {
      envelopeOf(options, settings.delays);
    } catch (error) {
      throw error instanceof InvalidArgumentError ? error.at(label) : error;
    }
    return codec.encode(message, this.#context);
  }

  /** Publishes these, in their order by partition; returns what has become of each. Cost: one script per 200 messages, or 32 KB, and partition. */
  async publish(rows: readonly TopicOutletRow[]): Promise<TopicOutletFate[]> {
    const fates: TopicOutletFate[] = rows.map(() => HELD);
    const byPartition = new Map<number, number[]>();
    for (const [at, { id, options }] of rows.entries()) {
      const partition = partitionOf(options.key ?? id, this.#source.settings.partitions);
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), at]);
    }
    await Promise.all([...byPartition.values()].map((places) => this.#inOrder(rows, places, fates)));
    return fates;
  }

  async #inOrder(rows: readonly TopicOutletRow[], places: readonly number[], fates: TopicOutletFate[]): Promise<void> {
    for (const chunk of chunksOf(rows, places)) {
      const ends = await Promise.all(chunk.map((at) => this.#publish(rows[at]!)));
      for (const [index, at] of chunk.entries()) fates[at] = ends[index]!;
      if (ends.some(({ status }) => status === "full" || status === "failed")) return;
    }
  }

  /** Sent in the same tick as the others of its chunk. */
  async #publish({ id, payload, options }: TopicOutletRow): Promise<TopicOutletFate> {
    let sent: ReturnType<Publisher<T>["publish"]>;
    try {
      sent = this.#publisher.publish(this.#source.codec.decode(payload, this.#context), { ...options, id });
    } catch (error) {
      const isRefused = error instanceof InvalidArgumentError || error instanceof CodecError;
      return { status: isRefused ? "refused" : "failed", error: error as Error };
    }
    try {
      return { status: (await sent).status };
    } catch (error) {
      return { status: "failed", error: error as Error };
    }
  }

  /** Whatever partition it is for: it is not in the log yet. */
  get #context(): { readonly aad: string } {
    return { aad: `${this.#source.logs[0]!.key}:outbox` };
  }
}

function* chunksOf(rows: readonly TopicOutletRow[], places: readonly number[]): Generator<number[]> {
  let [chunk, bytes]: [number[], number] = [[], 0];
  for (const at of places) {
    const size = sizeOf(rows[at]!);
    if (chunk.length > 0 && (bytes + size > CHUNK_BYTES || chunk.length === CHUNK_MESSAGES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(at);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function sizeOf({ id, payload, options: { key = "", headers = {} } }: TopicOutletRow): number {
  let characters = id.length + key.length;
  for (const [name, value] of Object.entries(headers)) characters += name.length + value.length;
  return payload.length + characters * 3 + OVERHEAD_BYTES;
}
