/** What a message may be published with. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs } from "../../base/options.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
import type { LogMessage } from "../../core/log/frame.ts";

export interface TopicPublishOptions {
  /** Messages of one key keep their order, and meet in one partition. 1 to 1,024 characters. @default none */
  readonly key?: string;
  /** Names and texts that are read without the payload: for filters and for tracing. At most 64, 8,192 characters in all. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Names this message, 1 to 1,024 characters: published again within `dedupeFor` it changes nothing. In a topic of several partitions it
   * goes with a `key`, or chooses the partition itself.
   * @default none
   */
  readonly id?: string;
  /** It is delivered so much later. Only in a topic with `delays`. @default at once */
  readonly delay?: Duration;
  /** It is not delivered any more when it is older. Only in a topic with `delays`. @default never */
  readonly ttl?: Duration;
}

/** One of `publishMany`. */
export interface TopicPublishItem<T> extends TopicPublishOptions {
  readonly message: T;
}

/** `duplicate`: a message with this id is there; offset and position are its. `full`: the partition takes no more. */
export type TopicPublishResult =
  | {
      readonly status: "ok" | "duplicate";
      readonly partition: number;
      readonly offset: number;
      readonly position: string;
    }
  | { readonly status: "full"; readonly partition: number };

export type Envelope = Omit<LogMessage, "payload" | "mark">;

export const PUBLISH_OPTIONS: OptionNames<TopicPublishOptions> = {
  key: true,
  headers: true,
  id: true,
  delay: true,
  ttl: true,
};
export const PUBLISH_ITEM: OptionNames<TopicPublishItem<unknown>> = { ...PUBLISH_OPTIONS, message: true };

const NOTHING: Envelope = Object.freeze({});
const MAX_HEADERS = 64;
const MAX_HEADERS_LENGTH = 8_192;

export function envelopeOf(given: TopicPublishOptions | undefined, delays: boolean): Envelope {
  if (given === undefined) return NOTHING;
  const { key, headers, id, delay, ttl } = givenOptions(given, PUBLISH_OPTIONS);
  if (key !== undefined) checkText("key", key, MAX_ID_LENGTH);
  if (id !== undefined) checkText("id", id, MAX_ID_LENGTH);
  const [delayMs, ttlMs] = [timeOf("delay", delay, delays), timeOf("ttl", ttl, delays)];
  // A copy: the caller's may be another by the time it is sent.
  return { key, id, headers: headers === undefined ? undefined : { ...checkHeaders(headers) }, delayMs, ttlMs };
}

function timeOf(field: string, value: Duration | undefined, allowed: boolean): number | undefined {
  if (value === undefined) return undefined;
  if (allowed) return toMs(field, value);
  throw new InvalidArgumentError(field, "none in a topic without `delays: true`", value);
}

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers))
    throw new InvalidArgumentError("headers", "an object of texts", headers);
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS)
    throw new InvalidArgumentError("headers", `at most ${MAX_HEADERS} names`, names.length);
  let length = 0;
  for (const name of names) {
    const value: unknown = headers[name];
    checkText("headers", name, MAX_HEADERS_LENGTH);
    if (typeof value !== "string" || !value.isWellFormed())
      throw new InvalidArgumentError("headers", "well-formed texts", value);
    length += name.length + value.length;
  }
  if (length > MAX_HEADERS_LENGTH)
    throw new InvalidArgumentError("headers", `at most ${MAX_HEADERS_LENGTH} characters in all`, length);
  return headers;
}
