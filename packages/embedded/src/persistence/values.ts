/**
 * Values as JSON. Numbers that JSON would bend (scores, 64-bit counters, ids) are written as text. How Redis would
 * encode a value (OBJECT ENCODING) is not kept: it follows from the content again.
 */
import type { Config } from "../config/config.ts";
import { parseDouble, parseInt64 } from "../base/numbers.ts";
import { Bytes } from "../values/bytes.ts";
import { HashValue } from "../values/hash.ts";
import { ListValue } from "../values/list.ts";
import { SetValue } from "../values/set.ts";
import { SortedSetValue } from "../values/sorted-set.ts";
import { Consumer, type Counter, Group } from "../values/stream-group.ts";
import { compareIds, formatId, parseId, type StreamId } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import type { TypeName, Value } from "../values/value.ts";

export interface StreamJson {
  readonly lastId: string;
  readonly maxDeletedId: string;
  readonly entriesAdded: string;
  /** Each the id, then fields and values in turn. */
  readonly entries: readonly (readonly string[])[];
  readonly groups: readonly GroupJson[];
}

export interface GroupJson {
  readonly name: string;
  readonly lastId: string;
  readonly entriesRead: string | null;
  readonly consumers: readonly { readonly name: string; readonly seenAtMs: number }[];
  readonly pending: readonly PendingJson[];
}

export interface PendingJson {
  readonly id: string;
  readonly consumer: string;
  readonly deliveredAtMs: number;
  readonly deliveries: string;
}

export type ValueJson = string | readonly string[] | StreamJson;

/** Undefined for a kind of value that the format does not know. */
export function toJson(value: Value): ValueJson | undefined {
  if (typeof value === "string") return value;
  if (value instanceof Bytes) return value.toString();
  if (value instanceof ListValue || value instanceof SetValue) return [...value.elements()];
  if (value instanceof HashValue) return value.all().flatMap((field) => [field.key, field.value]);
  if (value instanceof SortedSetValue) return [...value.values()].flatMap(({ key, score }) => [key, numberText(score)]);
  return value instanceof StreamValue ? streamToJson(value) : undefined;
}

/** Throws where the JSON is not what `toJson` makes of that type. */
export function fromJson(type: TypeName, json: ValueJson, config: Config): Value {
  switch (type) {
    case "string":
      return text(json);
    case "list":
      return filled(new ListValue(), json, 1, (list, item) => list.push("right", item));
    case "set":
      return filled(new SetValue(), json, 1, (set, member) => set.add(member));
    case "hash":
      return filled(new HashValue(), json, 2, (hash, field, value) => hash.set(field, value));
    case "zset":
      return filled(new SortedSetValue(config), json, 2, (zset, member, score) => zset.set(member, scoreOf(score)));
    case "stream":
      return streamFromJson(json as StreamJson, config);
    default:
      throw new TypeError(`a value of the unknown type ${JSON.stringify(type)}`);
  }
}

function filled<C>(
  collection: C,
  json: ValueJson,
  step: 1 | 2,
  add: (to: C, first: string, second: string) => void,
): C {
  if (!Array.isArray(json) || json.length === 0 || json.length % step !== 0) throw new TypeError("not a collection");
  for (let i = 0; i < json.length; i += step) add(collection, text(json[i]), text(json[i + step - 1]));
  return collection;
}

function streamToJson(stream: StreamValue): StreamJson {
  return {
    lastId: formatId(stream.lastId),
    maxDeletedId: formatId(stream.maxDeletedId),
    entriesAdded: String(stream.entriesAdded),
    entries: stream.range(FIRST, LAST).map(({ id, fields }) => [formatId(id), ...fields]),
    groups: [...stream.groups].map(groupToJson),
  };
}

const FIRST: StreamId = id("0-0");
const LAST: StreamId = id("18446744073709551615-18446744073709551615");

function groupToJson(group: Group): GroupJson {
  return {
    name: group.name,
    lastId: formatId(group.lastId),
    entriesRead: group.entriesRead === undefined ? null : String(group.entriesRead),
    consumers: [...group.consumers].map(({ name, seenAtMs }) => ({ name, seenAtMs })),
    pending: [...group.pending].map(({ id, consumer, deliveredAtMs, deliveries }) => ({
      id: formatId(id),
      consumer: consumer.name,
      deliveredAtMs,
      deliveries: String(deliveries),
    })),
  };
}

function streamFromJson(json: StreamJson, config: Config): StreamValue {
  const stream = new StreamValue();
  const limits = { entries: config.number("stream-node-max-entries"), bytes: config.number("stream-node-max-bytes") };
  for (const [entryId, ...fields] of json.entries) {
    const length = fields.reduce((sum, field) => sum + field.length, 0);
    const at = id(entryId);
    if (compareIds(at, stream.lastId) <= 0 || fields.length % 2 !== 0) throw new TypeError("entries are not in order");
    for (const field of fields) text(field);
    stream.append({ id: at, fields }, limits, length);
  }
  stream.lastId = id(json.lastId);
  stream.maxDeletedId = id(json.maxDeletedId);
  stream.entriesAdded = counter(json.entriesAdded);
  for (const group of json.groups) stream.groups.add(groupFromJson(group));
  return stream;
}

function groupFromJson(json: GroupJson): Group {
  const read = json.entriesRead === null ? undefined : counter(json.entriesRead);
  const group = new Group(text(json.name), id(json.lastId), read);
  for (const { name, seenAtMs } of json.consumers) group.consumers.add(new Consumer(text(name), number(seenAtMs)));
  for (const { deliveredAtMs, ...pending } of json.pending) {
    const consumer = group.consumers.get(pending.consumer);
    if (consumer === undefined) throw new TypeError("an entry is pending for a consumer that is not there");
    group.add({
      id: id(pending.id),
      consumer,
      deliveredAtMs: number(deliveredAtMs),
      deliveries: counter(pending.deliveries),
    });
  }
  return group;
}

/** Zero has a sign in a sorted set. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A binary string: a character per byte. */
export function text(json: unknown): string {
  // eslint-disable-next-line no-control-regex -- every byte is allowed
  if (typeof json === "string" && /^[\x00-\xff]*$/.test(json)) return json;
  throw new TypeError("not a string of bytes");
}

function number(json: unknown): number {
  if (typeof json === "number" && Number.isFinite(json)) return json;
  throw new TypeError("not a number");
}

function scoreOf(json: string): number {
  const value = json === "Infinity" ? Infinity : json === "-Infinity" ? -Infinity : parseDouble(json);
  return value ?? refuse("not a score");
}

function id(json: unknown): StreamId {
  return parseId(text(json), 0) ?? refuse("not a stream id");
}

function counter(json: unknown): Counter {
  return parseInt64(text(json)) ?? refuse("not a counter");
}

function refuse(why: string): never {
  throw new TypeError(why);
}
