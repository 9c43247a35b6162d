/** What a topic's messages are to their readers. */
import type { Frame } from "../core/log/frame.ts";
import type { LogPack } from "../core/log/pack.ts";
import { encodePosition } from "../core/log/position.ts";
import { RedrivenPack } from "./dead/record.ts";

/** What is known of a message without its payload: for filters. */
export interface TopicEnvelope {
  readonly key: string | undefined;
  readonly id: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The mark of a message that says that its key is deleted. */
export const TOMBSTONE = 1;

export class TopicMessage<T> implements TopicEnvelope {
  readonly payload: T;
  readonly key: string | undefined;
  /** Of a topic with `latest`: it says that its key was deleted, and has no payload. */
  readonly tombstone: boolean;
  /** What it was published with to be known again. */
  readonly id: string | undefined;
  readonly partition: number;
  /** Its place in the partition: 1, 2, 3 ... without holes. */
  readonly offset: number;
  /** Milliseconds since 1970, by the server's clock; never goes back within a partition. */
  readonly publishedAt: number;
  readonly #frame: Frame;
  readonly #epoch: number;
  readonly #others: string | undefined;
  readonly #isRedriven: boolean;

  /** @param others positions in the other partitions, where a reader of all of them is */
  constructor(payload: T, pack: LogPack, offset: number, partition: number, others?: string) {
    const frame = pack.frame(offset);
    this.payload = payload;
    this.key = frame.key;
    this.tombstone = frame.mark === TOMBSTONE;
    this.id = frame.id;
    this.partition = partition;
    this.offset = offset;
    this.publishedAt = pack.at;
    this.#frame = frame;
    this.#epoch = pack.epoch;
    this.#others = others;
    this.#isRedriven = pack instanceof RedrivenPack;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#frame.headers;
  }

  /** It was a dead letter, and comes again outside of the log's order. */
  get redriven(): boolean {
    return this.#isRedriven;
  }

  /**
   * Where a reader goes on behind this message (`from`, `after`). Of a message that `messages()` has yielded it says where that reader is in
   * all partitions.
   */
  get position(): string {
    const own = encodePosition(this.partition, { epoch: this.#epoch, offset: this.offset, at: this.publishedAt });
    return this.#others === undefined ? own : `${own}_${this.#others}`;
  }
}
