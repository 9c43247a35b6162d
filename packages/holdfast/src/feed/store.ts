/** The server's side of a feed's entries: its keys, its commands and scripts, and what the replies mean. */
import { HoldfastError, isOutage } from "../base/errors.ts";
import { Lane } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow } from "../core/batch/script-kind.ts";
import type { BatchKind } from "../core/batch/lane.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, GroupKeys } from "../core/keyspace/keyspace.ts";
import { decodeFloat, decodeList, decodeText, type Part } from "../core/script/decode.ts";
import { decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Arg, Call, Driver, Reply } from "../driver/port.ts";
import { isErased, isGroup, type Place } from "./entry.ts";
import { ENDING_MS, type FeedSettings } from "./options.ts";
import {
  deliver,
  due,
  erase,
  fill,
  mark,
  open,
  outbox,
  type OutboxResult,
  post,
  type PostResult,
  sweep,
  withdraw,
} from "./scripts.gen.ts";

/**
 * Entries of an inbox. With its mark, and those that are added before the oldest are taken out, they are less than 128, which is what a listpack has by
 * default. One that had more once stays four times as large.
 */
export const INBOX_SIZE = 111;
/** Entries that are added at once. */
const ADDED = 8;
/** Commands in one pipeline of pushes: about a millisecond of the server's. */
const PIPELINED = 1_000;
/** Activities of a group that are kept; the others are counted. */
export const GROUP_KEPT = 64;
/** Members that a group's entry is made of: some may be gone. */
const GROUP_SHOWN = 16;
/** Marks of entries that were read. */
export const MARKS_KEPT = 126;

/** One command with its key. */
export type Command = readonly [command: string, key: string, ...rest: Arg[]];

export interface GroupRow {
  /** The newest first. */
  readonly ids: readonly string[];
  readonly count: number;
}

export class FeedStore {
  readonly name: string;
  readonly driver: Driver;
  readonly core: Core;
  readonly settings: FeedSettings<unknown>;
  /** What is published and followed: hints for those who wait. */
  readonly channel: string;
  readonly #keys: EntryKeys;
  readonly #group: GroupKeys;
  readonly #clock: ServerClock;
  readonly #lane = new Lane();
  readonly #items: BatchKind<KeyRead, Buffer | undefined>;

  constructor(core: Core, name: string, settings: FeedSettings<unknown>) {
    this.name = name;
    this.core = core;
    this.driver = core.driver;
    this.settings = settings;
    this.#keys = core.keys.entries("feed", name);
    this.#group = core.keys.group("feed", name);
    this.channel = core.keys.channel("feed", name);
    this.#clock = ServerClock.of(core.driver);
    this.#items = readKind(this.driver, this.call("page", "read"), (outcome) => {
      const reply = orThrow(outcome);
      return Buffer.isBuffer(reply) && !isErased(reply) ? reply : undefined;
    });
  }

  call<Class extends Call["class"]>(op: string, opClass: Class, key?: string): Call & { readonly class: Class } {
    return { op: `feed.${op}`, class: opClass, key: key ?? this.name, timeoutMs: this.settings.timeoutMs };
  }

  unclassed(op: string, key?: string): UnclassedCall {
    return { op: `feed.${op}`, key: key ?? this.name, timeoutMs: this.settings.timeoutMs };
  }

  /** Milliseconds since 1970, with fractions. */
  now(op: string): Promise<number> {
    const now = this.#clock.now();
    return now === undefined
      ? this.#clock.required(`feed ${JSON.stringify(this.name)}`, { op: `feed.${op}` })
      : Promise.resolve(now);
  }

  part(id: string, part: string): string {
    return this.#keys.part(id, part);
  }

  /** A key of the feed as a whole. */
  common(part: string): string {
    return this.#group.part(part);
  }

  /** Commands on keys anywhere, a pipeline per node. One outcome each; an outage of any rejects. */
  async spread(commands: readonly Command[], call: Call): Promise<Reply[]> {
    const bySlot = new Map<number, number[]>();
    for (const [at, [, key]] of commands.entries()) {
      const slot = this.driver.slotOf(key);
      const others = bySlot.get(slot);
      if (others === undefined) bySlot.set(slot, [at]);
      else others.push(at);
    }
    const replies: Reply[] = Array.from<Reply>({ length: commands.length }).fill(null);
    const pipelines = [...bySlot.values()].map(async (places) => {
      const sent = places.map((at) => commands[at]!);
      const outcomes = await this.driver.batch(sent, call, sent[0]![1]);
      for (const [index, outcome] of outcomes.entries()) {
        // A key of another type is its owner's matter, and holds up no other.
        if (outcome instanceof HoldfastError && outcome.code !== "WRONG_TYPE") throw outcome;
        replies[places[index]!] = outcome;
      }
    });
    await Promise.all(pipelines);
    return replies;
  }

  /** Runs commands on keys in the same slot; rejects with the first failure. */
  async inSlot(commands: readonly Command[], call: Call): Promise<Reply[]> {
    return (await this.driver.batch(commands, call, commands[0]![1])).map(orThrow);
  }

  post(id: string, bytes: Buffer): Promise<PostResult> {
    const args = { bytes, keepMs: this.settings.keepMs };
    return runScript(this.driver, post, { item: this.#keys.key(id) }, args, this.unclassed("publish"));
  }

  async erase(id: string): Promise<void> {
    await runScript(this.driver, erase, { item: this.#keys.key(id) }, {}, this.unclassed("delete"));
  }

  /** The stored bytes; undefined where it is gone or was deleted. */
  item(id: string): Promise<Buffer | undefined> {
    const key = this.#keys.key(id);
    return this.#lane.add(this.#items, this.driver.slotOf(key), { key, id });
  }

  /** As `item`, also of one that was deleted. */
  async itemOrErased(id: string): Promise<Buffer | undefined> {
    const key = this.#keys.key(id);
    const reply = await this.driver.send(["GET", key], this.call("delete", "read", id), key);
    return Buffer.isBuffer(reply) ? reply : undefined;
  }

  record(author: string, id: string, score: number): Promise<OutboxResult> {
    const keys = { outbox: this.part(author, "outbox"), followers: this.part(author, "followers") };
    const { maxOutbox, keepMs } = this.settings;
    const args = { id, score, size: maxOutbox, keepMs };
    return runScript(this.driver, outbox, keys, args, this.unclassed("publish", author));
  }

  /** Entries below a place, or all of them, down to `from` (us); at most `most`, the newest first. */
  static below(key: string, place: Place | undefined, from: number, most: number, offset = 0): Command {
    const max = place === undefined ? "(inf" : String(place.score);
    return ["ZRANGE", key, max, String(from), "BYSCORE", "REV", "LIMIT", String(offset), String(most), "WITHSCORES"];
  }

  /** Puts entries in the inboxes of those who are active. Per reader PTTL, then ZADD and ZREMRANGEBYRANK per 8 entries; in pipelines per node. */
  async push(readers: readonly string[], places: readonly Place[]): Promise<void> {
    const added: string[][] = [];
    for (let at = 0; at < places.length; at += ADDED)
      added.push(places.slice(at, at + ADDED).flatMap(({ score, id }) => [String(score), id]));
    const size = Math.ceil(PIPELINED / (2 * Math.max(added.length, 1)));
    for (let at = 0; at < readers.length; at += size) await this.#push(readers.slice(at, at + size), added);
  }

  async #push(readers: readonly string[], added: readonly (readonly string[])[]): Promise<void> {
    const inboxes = readers.map((reader) => this.part(reader, "inbox"));
    const ttls = await this.spread(
      inboxes.map((key) => ["PTTL", key]),
      this.call("publish", "read"),
    );
    const writes: Command[] = [];
    for (const [at, key] of inboxes.entries()) {
      const ttl = Number(ttls[at]);
      if (ttl > ENDING_MS)
        for (const entries of added) {
          writes.push(["ZADD", key, ...entries]);
          writes.push(["ZREMRANGEBYRANK", key, "0", String(-INBOX_SIZE - 2)]);
        }
      // One that ends while it is pushed to would stay as a rest; and that is what one without an end is.
      else if (ttl >= -1) writes.push(["UNLINK", key]);
    }
    if (writes.length > 0) await this.spread(writes, this.call("publish", "idempotent"));
  }

  /** Puts an entry in named feeds. */
  async toNamed(names: readonly string[], place: Place, member: string): Promise<void> {
    const { maxNamed: size, keepMs } = this.settings;
    if (isGroup(member)) {
      const args = { ...place, member, size, kept: GROUP_KEPT, keepMs };
      const adding = names.map((name) =>
        runScript(this.driver, deliver, this.#grouped(name, member), args, this.unclassed("publish", name)),
      );
      await Promise.all(adding);
      return;
    }
    const commands = names.flatMap((name): Command[] => {
      const key = this.part(name, "named");
      return [
        ["ZADD", key, String(place.score), place.id],
        ["ZREMRANGEBYRANK", key, "0", String(-size - 1)],
        ["PEXPIRE", key, String(keepMs)],
      ];
    });
    await this.spread(commands, this.call("publish", "idempotent"));
  }

  async fromNamed(names: readonly string[], id: string, member: string): Promise<void> {
    if (!isGroup(member)) {
      const commands = names.map((name): Command => ["ZREM", this.part(name, "named"), id]);
      return void (await this.spread(commands, this.call("delete", "idempotent")));
    }
    const call = this.unclassed("delete");
    await Promise.all(
      names.map((name) => runScript(this.driver, withdraw, this.#grouped(name, member), { id, member }, call)),
    );
  }

  /** Takes what is gone out of a reader's named feed. */
  async forget(reader: string, members: readonly string[]): Promise<void> {
    const key = this.part(reader, "named");
    await this.driver.send(["ZREM", key, ...members], this.call("page", "idempotent", reader), key);
  }

  /** Of a reader's groups, what their entries are made of. */
  async groups(reader: string, members: readonly string[]): Promise<GroupRow[]> {
    const commands = members.flatMap((member): Command[] => {
      const { group } = this.#grouped(reader, member);
      return [
        ["ZRANGE", group, "0", String(GROUP_SHOWN - 1), "REV"],
        ["ZCARD", group],
        ["ZSCORE", group, "!n"],
      ];
    });
    const replies = await this.inSlot(commands, this.call("page", "read", reader));
    return members.map((_, at) => {
      const [ids, size, others] = replies.slice(3 * at, 3 * at + 3);
      const shown = decodeList(ids, decodeText).filter((id) => id !== "!n");
      return { ids: shown, count: Number(size) - 1 + (others === null ? 0 : Number(others)) };
    });
  }

  open(reader: string, token: string): Promise<string> {
    const args = { token, activeMs: this.settings.activeForMs };
    return runScript(this.driver, open, { inbox: this.part(reader, "inbox") }, args, this.unclassed("page", reader));
  }

  async fill(reader: string, mark: string, floor: number, places: readonly Place[]): Promise<void> {
    const entries = places.flatMap(({ score, id }) => [String(score), id]);
    const args = { mark, floor: String(floor), size: INBOX_SIZE, entries };
    await runScript(this.driver, fill, { inbox: this.part(reader, "inbox") }, args, this.unclassed("page", reader));
  }

  async sweep(reader: string, ids: readonly string[]): Promise<void> {
    const args = { size: INBOX_SIZE, ids: [...ids] };
    await runScript(this.driver, sweep, { inbox: this.part(reader, "inbox") }, args, this.unclassed("page", reader));
  }

  async mark(reader: string, seen: number, read: number, places: readonly Place[]): Promise<void> {
    const entries = places.flatMap(({ score, id }) => [String(score), id]);
    const args = { seen, read, kept: MARKS_KEPT, keepMs: this.settings.keepMs, entries };
    await runScript(this.driver, mark, { marks: this.part(reader, "marks") }, args, this.unclassed("markRead", reader));
  }

  /** Notes a publication that has begun; false where it had been noted before, and has not ended. */
  async begin(id: string, dueAt: number): Promise<boolean> {
    const key = this.common("unfinished");
    const commands: Command[] = [
      ["ZADD", key, "NX", String(Math.ceil(dueAt)), id],
      ["PEXPIRE", key, String(this.settings.keepMs)],
    ];
    const [added] = await this.inSlot(commands, this.call("publish", "idempotent"));
    return added === 1;
  }

  async end(id: string): Promise<void> {
    const key = this.common("unfinished");
    await this.driver.send(["ZREM", key, id], this.call("publish", "idempotent"), key);
  }

  due(most: number, leaseMs: number): Promise<string[]> {
    const keys = { unfinished: this.common("unfinished") };
    return runScript(this.driver, due, keys, { most, leaseMs }, this.unclassed("publish"));
  }

  /** A hint: who does not hear it looks later. */
  async tell(message: string): Promise<void> {
    try {
      await this.driver.send(["PUBLISH", this.channel, message], this.call("publish", "idempotent"), this.channel);
    } catch (error) {
      if (!isOutage(error)) throw error;
    }
  }

  #grouped(reader: string, member: string): { readonly named: string; readonly group: string } {
    return { named: this.part(reader, "named"), group: this.part(reader, `group:${member.slice(1)}`) };
  }
}

/** Of ZRANGE WITHSCORES: pairs in RESP 3, a flat list in RESP 2. */
export function placesOf(reply: Reply, call: Call): Place[] {
  return decodedBy(decodePlaces, reply, "ZRANGE", call);
}

function decodePlaces(reply: Part): Place[] {
  const rows = decodeList(reply, (part) => part);
  const flat = Array.isArray(rows[0]) ? rows.flat() : rows;
  const places: Place[] = [];
  for (let at = 0; at < flat.length; at += 2)
    places.push({ id: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) });
  return places;
}
