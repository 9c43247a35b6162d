/** What a topic has, by partition. */
import type { TopicSource } from "../source.ts";

export interface TopicPartitionInfo {
  readonly partition: number;
  /** That are kept. */
  readonly messages: number;
  /** Offset of the oldest that is kept; one more than `last` where none is. */
  readonly first: number;
  /** Offset of the newest that there ever was; 0 before it. */
  readonly last: number;
  /** Milliseconds since 1970. */
  readonly oldestAt: number | undefined;
  readonly newestAt: number | undefined;
}

export interface TopicInfo {
  /** That are kept, in all partitions. */
  readonly messages: number;
  readonly partitions: readonly TopicPartitionInfo[];
}

export async function infoOf(source: TopicSource<unknown>): Promise<TopicInfo> {
  const partitions = await Promise.all(
    source.logs.map(async (_, partition): Promise<TopicPartitionInfo> => {
      const { tail, packs } = await source.store(partition, "topic.info").look(0, 1);
      const oldest = packs[0];
      // Of the two the pack is the younger: it may be behind the end that was seen.
      const last = Math.max(tail.head, oldest?.last ?? 0);
      const first = oldest?.first ?? last + 1;
      const newestAt = last === 0 ? undefined : tail.at || oldest?.at;
      return { partition, messages: last - first + 1, first, last, oldestAt: oldest?.at, newestAt };
    }),
  );
  return { messages: partitions.reduce((sum, { messages }) => sum + messages, 0), partitions };
}
