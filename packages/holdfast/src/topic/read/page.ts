/** Messages for a screen: the newest, older ones, newer ones. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, parseOptions, wholeBetween } from "../../base/options.ts";
import { encodePosition, type LogPosition, parsePosition } from "../../core/log/position.ts";
import type { LogTail } from "../../core/log/store.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
import type { TopicEnvelope, TopicMessage } from "../message.ts";
import { partitionOf } from "../partition.ts";
import type { TopicSource } from "../source.ts";
import type { TopicMessagesOptions, TopicRawMessage } from "./options.ts";
import { Reports } from "../../core/observe/reports.ts";
import { above, below, type Found, type Scan } from "./scan.ts";

export interface TopicPageOptions extends Pick<TopicMessagesOptions, "key" | "filter" | "onError"> {
  /** Older ones than this: a page's `before`, or a message's `position`. @default the newest */
  readonly before?: string;
  /** Newer ones than this: a page's `after`, or a message's `position`. @default the newest */
  readonly after?: string;
  /** 1 to 1,000. @default 50 */
  readonly limit?: number;
}

export interface TopicPage<T> {
  /** Oldest first; those of several partitions by the time at which they were published. */
  readonly messages: readonly TopicMessage<T>[];
  /** For the page of older ones; undefined where there are none. */
  readonly before: string | undefined;
  /** For the page of newer ones, and for `messages({ from })`, which goes on behind this page without a gap or a repeat. */
  readonly after: string;
  /** The topic's log is not the one that `before` or `after` is of: these are the newest of what it is now. */
  readonly reset: boolean;
}

interface Settings {
  readonly key: string | undefined;
  readonly isWanted: ((message: TopicEnvelope) => boolean) | undefined;
  readonly reports: Reports<never, TopicRawMessage>;
  readonly limit: number;
  readonly before: LogPosition[] | undefined;
  readonly after: LogPosition[] | undefined;
  /** What either of them names. */
  readonly named: readonly LogPosition[];
}

/** One partition's part of a page. `edge` is where it begins to look: the first offset above it, or the last below. */
interface Part extends Scan {
  readonly partition: number;
  readonly epoch: number;
  readonly edge: number;
  readonly edgeAt: number;
}

const OP = "topic.page";
const NAMES: OptionNames<TopicPageOptions> = {
  before: true,
  after: true,
  limit: true,
  key: true,
  filter: true,
  onError: true,
};
const MAX_LIMIT = 1_000;
/** A page's own cursor: what it names is older too; a message's position names the message that is not. */
const UNTIL = "until_";

export async function pageOf<T>(source: TopicSource<T>, given: TopicPageOptions | undefined): Promise<TopicPage<T>> {
  const settings = settingsOf(source, given);
  const { partitions } = source.settings;
  const all = settings.key === undefined ? [...Array(partitions).keys()] : [partitionOf(settings.key, partitions)];
  const tails = new Map(await Promise.all(all.map(async (at) => [at, await source.store(at, OP).tail()] as const)));
  const reset = await isReset(source, settings.named, tails);
  const { before, after } = reset ? {} : settings;
  const parts = await Promise.all(
    all.map((at) =>
      after === undefined
        ? older(source, settings, tails.get(at)!, before, at)
        : newer(source, settings, tails.get(at)!, after, at),
    ),
  );
  const sorted = parts.flatMap(({ found }) => found).toSorted(byTime);
  const taken = after === undefined ? sorted.slice(-settings.limit) : sorted.slice(0, settings.limit);
  const messages = taken.map((found) => read(source, settings, found)).filter((message) => message !== undefined);
  return after === undefined
    ? { messages, before: olderThan(parts, taken), after: edges(parts), reset }
    : { messages, before: `${UNTIL}${edges(parts)}`, after: newerThan(parts, taken), reset };
}

async function older(
  source: TopicSource<unknown>,
  { limit, isWanted, reports }: Settings,
  { epoch, head, at }: LogTail,
  before: LogPosition[] | undefined,
  partition: number,
): Promise<Part> {
  const store = source.store(partition, OP);
  const named = before?.find((each) => each.partition === partition);
  let end = head + 1;
  if (named !== undefined) end = Math.min(end, named.point.offset);
  else if (before !== undefined) end = await store.find(timeBeside(before[0]!, partition));
  const scan = await below({ store, partition, limit, isWanted, onError: (error) => reports.error(error) }, end);
  return { ...scan, partition, epoch, edge: end - 1, edgeAt: end - 1 === head ? at : 0 };
}

async function newer(
  source: TopicSource<unknown>,
  { limit, isWanted, reports }: Settings,
  { epoch }: LogTail,
  after: LogPosition[],
  partition: number,
): Promise<Part> {
  const store = source.store(partition, OP);
  const named = after.find((each) => each.partition === partition);
  const edge = named?.point.offset ?? (await store.find(timeBeside(after[0]!, partition))) - 1;
  const scan = await above({ store, partition, limit, isWanted, onError: (error) => reports.error(error) }, edge);
  return { ...scan, partition, epoch, edge, edgeAt: named?.point.at ?? 0 };
}

/** Where the parts begin, as a position: of the newest page the end of the log. */
function edges(parts: readonly Part[]): string {
  return parts
    .map(({ partition, epoch, edge, edgeAt }) => encodePosition(partition, { epoch, offset: edge, at: edgeAt }))
    .join("_");
}

function olderThan(parts: readonly Part[], taken: readonly Found[]): string | undefined {
  let isMore = false;
  const ends = parts.map((part) => {
    const { partition, epoch, reached, isOver, edge } = part;
    const { own, isLeft } = shareOf(part, taken);
    isMore ||= isLeft || !isOver;
    // What was found and not taken is looked at again.
    const offset = isLeft ? (own[0]?.offset ?? edge + 1) : reached;
    return encodePosition(partition, { epoch, offset: offset - 1, at: 0 });
  });
  return isMore ? `${UNTIL}${ends.join("_")}` : undefined;
}

function newerThan(parts: readonly Part[], taken: readonly Found[]): string {
  const points = parts.map((part) => {
    const { partition, epoch, reached, edge, edgeAt } = part;
    const { own, isLeft } = shareOf(part, taken);
    const last = own.at(-1);
    const offset = isLeft ? (last?.offset ?? edge) : reached;
    if (last !== undefined && offset === last.offset) return encodePosition(partition, last.pack.point(offset));
    return encodePosition(partition, { epoch, offset, at: offset === edge ? edgeAt : 0 });
  });
  return points.join("_");
}

function shareOf({ partition, found }: Part, taken: readonly Found[]): { own: readonly Found[]; isLeft: boolean } {
  const own = taken.filter((each) => each.partition === partition);
  return { own, isLeft: own.length < found.length };
}

/** Whether they name what a page's log does not have: of another epoch, behind its end, or a message in whose place is another. Cost: XRANGE for each. */
async function isReset(
  source: TopicSource<unknown>,
  positions: readonly LogPosition[],
  tails: ReadonlyMap<number, LogTail>,
): Promise<boolean> {
  const asked = positions.map(async ({ partition, point: { epoch, offset, at } }) => {
    const tail = tails.get(partition);
    if (tail === undefined || epoch === 0) return false;
    if (tail.epoch !== epoch || tail.head < offset) return true;
    if (at === 0 || offset === 0) return false;
    // A failover may have lost it, and others have come since. Where retention has removed it, what follows is younger.
    const [pack] = await source.store(partition, OP).range(offset, 1);
    return pack !== undefined && (pack.first <= offset ? pack.at !== at : pack.at < at);
  });
  return (await Promise.all(asked)).includes(true);
}

/** From which time on messages of another partition are newer than what a position names, in the order of `byTime`. */
function timeBeside({ partition, point }: LogPosition, other: number): number {
  return other < partition ? point.at + 1 : point.at;
}

function byTime(a: Found, b: Found): number {
  return a.pack.at - b.pack.at || a.partition - b.partition || a.offset - b.offset;
}

function read<T>(source: TopicSource<T>, { reports }: Settings, found: Found): TopicMessage<T> | undefined {
  const { pack, offset, partition } = found;
  try {
    return source.decode(pack, offset, partition);
  } catch (error) {
    const { key, id, headers, payload } = pack.frame(offset);
    reports.error(error, { key, id, headers, payload, partition, offset });
    return undefined;
  }
}

function settingsOf(source: TopicSource<unknown>, given: TopicPageOptions | undefined): Settings {
  const { label } = source;
  const { partitions } = source.settings;
  return parseOptions(label, given, NAMES, ({ before, after, limit = 50, key, filter, onError }) => {
    if (before !== undefined && after !== undefined)
      throw new InvalidArgumentError("after", "nothing beside `before`", undefined);
    if (key !== undefined) checkText("key", key, MAX_ID_LENGTH);
    if (filter !== undefined && typeof filter !== "function")
      throw new InvalidArgumentError("filter", "a function", filter);
    if (onError !== undefined && typeof onError !== "function")
      throw new InvalidArgumentError("onError", "a function", onError);
    const ends = before === undefined ? undefined : endsOf(before, partitions);
    const starts = after === undefined ? undefined : positionsOf("after", after, partitions);
    return {
      key,
      isWanted: key === undefined ? filter : (message) => message.key === key && (filter?.(message) ?? true),
      reports: new Reports(label, "HOLDFAST_TOPIC", { onError }),
      limit: wholeBetween("limit", limit, 1, MAX_LIMIT),
      before: ends?.positions,
      after: starts,
      named: ends?.named ?? starts ?? [],
    };
  });
}

/** What it names, and the same with the first offset of each that is not older. */
function endsOf(before: string, partitions: number): { named: LogPosition[]; positions: LogPosition[] } {
  const isOwn = typeof before === "string" && before.startsWith(UNTIL);
  const named = positionsOf("before", isOwn ? before.slice(UNTIL.length) : before, partitions);
  const positions = named.map(({ partition, point }, at) => {
    // A message of `messages()` is the first in its position; of the others its reader has seen what they name.
    const offset = isOwn || at > 0 ? point.offset + 1 : point.offset;
    return { partition, point: { ...point, offset } };
  });
  return { named, positions };
}

function positionsOf(field: string, text: string, partitions: number): LogPosition[] {
  const positions = parsePosition(field, text);
  if (positions.every(({ partition }) => partition < partitions)) return positions;
  throw new InvalidArgumentError(field, `a position of this topic, which has ${partitions} partitions`, undefined);
}
