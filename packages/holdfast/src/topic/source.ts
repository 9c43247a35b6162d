/** What a topic's parts stand on: its logs, and how messages are read. */
import type { Codec, PartCodec } from "../core/codec/codec.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import { LogKeys } from "../core/log/keys.ts";
import type { LogPack } from "../core/log/pack.ts";
import { LogStore } from "../core/log/store.ts";
import { TOMBSTONE, TopicMessage } from "./message.ts";
import { topicOptions, type TopicOptions, type TopicSettings } from "./options.ts";

export class TopicSource<T> {
  readonly core: Core;
  readonly name: string;
  /** As messages name it: `topic "orders"`. */
  readonly label: string;
  readonly codec: PartCodec<T>;
  /** As `codec`, for what the library itself has to say of a message. */
  readonly info: Codec<unknown>;
  readonly settings: TopicSettings;
  /** One per partition. */
  readonly logs: readonly LogKeys[];

  constructor(core: Core, name: string, label: string, given: TopicOptions<T> | undefined) {
    this.core = core;
    this.name = name;
    this.label = label;
    const { codec, info, settings } = topicOptions(label, given, ({ message, ...options }, parsed) => ({
      codec: core.codec<T>({ ...options, schema: checkSchema(message, "message") }),
      info: core.codec<unknown>(options),
      settings: parsed,
    }));
    this.codec = codec;
    this.info = info;
    this.settings = settings;
    this.logs = Array.from({ length: settings.partitions }, (_, at) => new LogKeys(core.keys.group("topic", name, at)));
  }

  /** @param op the operation as a user knows it: `topic.page` */
  store(partition: number, op: string): LogStore {
    const { core, name, settings } = this;
    return new LogStore(core.driver, this.logs[partition]!, { op, name, timeoutMs: settings.timeoutMs });
  }

  /**
   * A message of a pack.
   * @param others positions in the other partitions, where a reader of all of them is
   * @throws CodecError where the payload cannot be read
   */
  decode(pack: LogPack, offset: number, partition: number, others?: string): TopicMessage<T> {
    const { mark, payload: bytes } = pack.frame(offset);
    // A topic with tombstones is one of `T | undefined`.
    const payload = mark === TOMBSTONE ? (undefined as T) : this.codec.decode(bytes, this.logs[partition]!.aad);
    return new TopicMessage(payload, pack, offset, partition, others);
  }
}
