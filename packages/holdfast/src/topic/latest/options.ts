/** What is given to a topic that keeps the newest message of each key. */
import { checkSignal } from "../../base/abort.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames, parseOptions } from "../../base/options.ts";
import { parsePosition } from "../../core/log/position.ts";
import { type Envelope, envelopeOf } from "../publish/options.ts";
import type { TopicMessagesOptions } from "../read/options.ts";
import { ABSENT, expectedAt } from "./record.ts";
import type { LatestStart } from "./reader.ts";

export interface TopicDeleteOptions {
  /** Names this message, as of `publish`. @default none */
  readonly id?: string;
  /** As of `publish`. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Only where the newest message of the key is the one with this `position`. @default whatever it is */
  readonly ifPosition?: string;
}

export interface TopicSetOptions extends TopicDeleteOptions {
  /** Only where the key is not there. @default false */
  readonly ifNew?: boolean;
}

/** `duplicate`: a message with this id is there. `conflict`: the key is not what was asked for. `full`: there is no room for it. */
export type TopicSetResult =
  | {
      readonly status: "ok" | "duplicate";
      readonly partition: number;
      readonly offset: number;
      readonly position: string;
    }
  | { readonly status: "conflict" | "full"; readonly partition: number };

/** `missing`: there is no such key. */
export type TopicDeleteResult = TopicSetResult | { readonly status: "missing"; readonly partition: number };

export interface TopicFollowOptions {
  /** With what there is, or behind what was seen: the `position` of a change. @default "snapshot" */
  readonly from?: "snapshot" | (string & {});
  /** Only keys for which it returns true. @default all */
  readonly filter?: (key: string) => boolean;
  /** Called with a message that could not be decoded (CodecError), which is left out. @default the first error is emitted as a process warning */
  readonly onError?: TopicMessagesOptions["onError"];
  /** Ends it. @default none */
  readonly signal?: AbortSignal;
}

export interface Following {
  /** One per partition. */
  readonly starts: readonly LatestStart[];
  readonly filter: TopicFollowOptions["filter"];
  readonly onError: TopicFollowOptions["onError"];
  readonly signal: AbortSignal | undefined;
}

/** In front of a position within a snapshot: the rest of it is still to come. */
export const PART = "part_";

const DELETE_OPTIONS: OptionNames<TopicDeleteOptions> = { id: true, headers: true, ifPosition: true };
const SET_OPTIONS: OptionNames<TopicSetOptions> = { ...DELETE_OPTIONS, ifNew: true };
const FOLLOW_OPTIONS: OptionNames<TopicFollowOptions> = { from: true, filter: true, onError: true, signal: true };
const SNAPSHOT: LatestStart = { kind: "snapshot" };

/** What is sent with it, and what its key must be at. @throws InvalidArgumentError */
export function settingOf(
  key: string,
  given: TopicSetOptions | undefined,
): Envelope & { readonly expected: string | undefined } {
  return conditionOf(key, givenOptions(given, SET_OPTIONS));
}

export function deletingOf(key: string, given: TopicDeleteOptions | undefined): ReturnType<typeof settingOf> {
  return conditionOf(key, givenOptions(given, DELETE_OPTIONS));
}

function conditionOf(key: string, { id, headers, ifPosition, ifNew }: TopicSetOptions): ReturnType<typeof settingOf> {
  if (ifNew !== undefined && typeof ifNew !== "boolean")
    throw new InvalidArgumentError("ifNew", "true or false", ifNew);
  if (ifNew === true && ifPosition !== undefined)
    throw new InvalidArgumentError("ifPosition", "nothing beside `ifNew`", ifPosition);
  const envelope = envelopeOf(
    { key, ...(id !== undefined && { id }), ...(headers !== undefined && { headers }) },
    false,
  );
  if (ifPosition !== undefined) return { ...envelope, expected: expectedAt("ifPosition", ifPosition) };
  return { ...envelope, expected: ifNew === true ? ABSENT : undefined };
}

export function followingOf(label: string, partitions: number, given: TopicFollowOptions | undefined): Following {
  return parseOptions(label, given, FOLLOW_OPTIONS, ({ from = "snapshot", filter, onError, signal }) => {
    for (const [field, each] of Object.entries({ filter, onError }))
      if (each !== undefined && typeof each !== "function") throw new InvalidArgumentError(field, "a function", each);
    return { starts: startsOf(from, partitions), filter, onError, signal: checkSignal(signal) };
  });
}

function startsOf(from: string, partitions: number): LatestStart[] {
  const starts: LatestStart[] = Array.from({ length: partitions }, () => SNAPSHOT);
  if (from === "snapshot") return starts;
  const isPart = typeof from === "string" && from.startsWith(PART);
  for (const { partition, point } of parsePosition("from", isPart ? from.slice(PART.length) : from)) {
    if (partition >= partitions)
      throw new InvalidArgumentError("from", `a position of this topic, which has ${partitions} partitions`, partition);
    // Of a partition of which nothing was seen all is new.
    if (point.offset > 0) starts[partition] = { kind: isPart ? "rest" : "after", point };
    else if (!isPart) starts[partition] = { kind: "after", point };
  }
  return starts;
}
