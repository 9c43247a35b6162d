/** What a feed may be given. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Codec, CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";

/** What decides the group of an activity. */
export interface FeedGrouping<T> {
  readonly activity: T;
  readonly author: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of `at`, in UTC: `2026-11-27`. */
  readonly day: string;
}

export interface FeedOptions<T> extends Pick<
  CodecOptions<T>,
  "serializer" | "strict" | "reads" | "compress" | "encrypt"
> {
  /** Checks activities as they are published and as they are read. Any synchronous Standard Schema. @default no check */
  readonly activity?: StandardSchemaV1<unknown, T>;
  /** What an activity is shown together with, such as `like:post:42:2026-11-27`; undefined: nothing. @default nothing */
  readonly group?: (about: FeedGrouping<T>) => string | undefined;
  /** How long activities are kept. @default "30d" */
  readonly keep?: Duration;
  /** How long entries are pushed to a reader who does not come back, 10 minutes at least; whoever comes later has the feed put together again. @default "14d" */
  readonly activeFor?: Duration;
  /** Up to how many followers entries are pushed to them; of an author with more they are pulled as feeds are read. @default 5_000 */
  readonly push?: number;
  /** Up to how many followers `publish` itself pushes; beyond it a worker does (`feed.work`). At most `push`. @default 500 */
  readonly direct?: number;
  /** Entries of one author that feeds are read from, up to 100,000. @default 1_000 */
  readonly maxOutbox?: number;
  /** Entries of a named feed, up to 100,000. @default 1_000 */
  readonly maxNamed?: number;
  /** Authors that one reader follows, up to 10,000. @default 2_000 */
  readonly maxFollowing?: number;
  /** Followers of one author, up to 100,000,000. @default 10_000_000 */
  readonly maxFollowers?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface FeedSettings<T> {
  readonly codec: Codec<T>;
  readonly group: ((about: FeedGrouping<T>) => string | undefined) | undefined;
  readonly keepMs: number;
  readonly activeForMs: number;
  readonly push: number;
  readonly direct: number;
  readonly maxOutbox: number;
  readonly maxNamed: number;
  readonly maxFollowing: number;
  readonly maxFollowers: number;
  readonly timeoutMs: number | undefined;
}

/** An inbox that ends sooner than this is not pushed to: by the deadline of a push it would be gone. */
export const ENDING_MS = 60_000;
const MIN_ACTIVE_MS = 10 * 60_000;
const MIN_KEEP_MS = 60_000;
const MAX_PUSH = 1_000_000;

const NAMES: OptionNames<FeedOptions<unknown>> = {
  serializer: true,
  strict: true,
  reads: true,
  compress: true,
  encrypt: true,
  activity: true,
  group: true,
  keep: true,
  activeFor: true,
  push: true,
  direct: true,
  maxOutbox: true,
  maxNamed: true,
  maxFollowing: true,
  maxFollowers: true,
  timeout: true,
};

export function feedSettings<T>(core: Core, where: string, given: FeedOptions<T> | undefined): FeedSettings<T> {
  const names: OptionNames<FeedOptions<T>> = NAMES;
  return parseOptions(where, given, names, (options) => {
    const { activity, group, push = 5_000, timeout, serializer, strict, reads, compress, encrypt } = options;
    if (group !== undefined && typeof group !== "function")
      throw new InvalidArgumentError("group", "a function that returns a text or undefined", group);
    const schema = checkSchema(activity, "activity");
    const most = wholeBetween("push", push, 0, MAX_PUSH);
    return {
      codec: core.codec<T>({ serializer, strict, reads, compress, encrypt, schema }),
      group,
      keepMs: toMs("keep", options.keep ?? "30d", MIN_KEEP_MS),
      activeForMs: toMs("activeFor", options.activeFor ?? "14d", MIN_ACTIVE_MS),
      push: most,
      direct: wholeBetween("direct", options.direct ?? Math.min(500, most), 0, most),
      maxOutbox: wholeBetween("maxOutbox", options.maxOutbox ?? 1_000, 1, 100_000),
      maxNamed: wholeBetween("maxNamed", options.maxNamed ?? 1_000, 1, 100_000),
      maxFollowing: wholeBetween("maxFollowing", options.maxFollowing ?? 2_000, 1, 10_000),
      maxFollowers: wholeBetween("maxFollowers", options.maxFollowers ?? 10_000_000, 1, 100_000_000),
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}
