/** The server's side of indexes and unique values: claims, entries, and records that are written with them. */
import { type BatchKind, Lane } from "../../core/batch/lane.ts";
import { orThrow, scriptKind } from "../../core/batch/script-kind.ts";
import type { Core } from "../../core/core.ts";
import type { EntryKeys, Id } from "../../core/keyspace/keyspace.ts";
import { decodeList } from "../../core/script/decode.ts";
import { type BatchItem, decodedBy, MAX_MERGED_BYTES, runScript, type UnclassedCall } from "../../core/script/run.ts";
import { unknownAfterRepeat } from "../../core/update/compare-and-set.ts";
import type { Driver, Reply } from "../../driver/port.ts";
import { slotOf } from "../../driver/slot.ts";
import {
  claim,
  type ClaimArgs,
  type ClaimKeys,
  type ClaimResult,
  commit,
  type CommitArgs,
  type CommitKeys,
  type CommitResult,
  enter,
  type EnterArgs,
  type EnterKeys,
  take,
  unclaim,
  type UnclaimArgs,
  type UnclaimKeys,
} from "../scripts.gen.ts";
import type { Range } from "./entry.ts";

export type Committed = Exclude<CommitResult, { status: "forgotten" }>;

export interface IndexKeys {
  readonly partitions: number;
  readonly timeoutMs: number | undefined;
  /** How long a record lives after its last write; what points to it lives for twice that. */
  readonly ttlMs: number;
}

const BEGUN = Buffer.of(0);
const LOST = "\0!";
/** Entries that one command adds, removes or looks up. */
const MAX_ENTRIES = 512;
/** Entries of one call of the script `enter` by which its `@batch` was measured. */
const FEW_ENTRIES = 2;

export class IndexStore {
  readonly driver: Driver;
  readonly settings: IndexKeys;
  readonly #name: string;
  readonly #records: EntryKeys;
  readonly #claims: EntryKeys;
  readonly #indexes: readonly { readonly index: string; readonly born: string }[];
  /** One for each kind: no order is needed between them, as what depends on another waits for it. */
  readonly #lanes = { commit: new Lane(), enter: new Lane(), claim: new Lane(), unclaim: new Lane() };
  readonly #commits: BatchKind<BatchItem<CommitKeys, CommitArgs>, CommitResult>;
  readonly #enters: BatchKind<BatchItem<EnterKeys, EnterArgs>, boolean>;
  readonly #claimed: BatchKind<BatchItem<ClaimKeys, ClaimArgs>, ClaimResult>;
  readonly #unclaimed: BatchKind<BatchItem<UnclaimKeys, UnclaimArgs>, boolean>;

  constructor(core: Core, name: string, settings: IndexKeys) {
    this.driver = core.driver;
    this.settings = settings;
    this.#name = name;
    this.#records = core.keys.entries("record", name);
    this.#claims = core.keys.entries("claim", name, true);
    this.#indexes = Array.from({ length: settings.partitions }, (_, partition) => {
      const group = core.keys.group("record", name, partition);
      return { index: group.part("index"), born: group.part("born") };
    });
    this.#commits = scriptKind(core.driver, commit, this.#call("write"), orThrow);
    this.#enters = {
      ...scriptKind(core.driver, enter, this.#call("write"), orThrow),
      weigh: ({ args }) => Math.max(1, (args.layout as readonly number[]).length / FEW_ENTRIES),
    };
    this.#claimed = scriptKind(core.driver, claim, this.#call("write"), orThrow);
    this.#unclaimed = scriptKind(core.driver, unclaim, this.#call("write"), orThrow);
  }

  get recordsHead(): string {
    return `${this.#records.head}{`;
  }

  idOf(key: string): string {
    return this.#records.idOf(key);
  }

  partitionOf(id: Id): number {
    return slotOf(String(id)) % this.settings.partitions;
  }

  /** @param value as `valueKey` has it, in text */
  claimKey(field: string, value: string): string {
    return this.#claims.key(`${field}:${value}`);
  }

  claim(key: string, args: Omit<ClaimArgs, "ttlMs">): Promise<ClaimResult> {
    return this.#add("claim", this.#claimed, key, {
      keys: { claim: key },
      args: { ...args, ttlMs: 2 * this.settings.ttlMs },
    });
  }

  /** @param stored token and id of the claim that is given back */
  unclaim(key: string, stored: string): Promise<boolean> {
    return this.#add("unclaim", this.#unclaimed, key, { keys: { claim: key }, args: { stored } });
  }

  async holder(key: string): Promise<string | undefined> {
    this.#lanes.commit.flush(this.driver.slotOf(key));
    const reply = await this.driver.send(["GET", key], { ...this.#call("getBy"), class: "read" }, key);
    return Buffer.isBuffer(reply) ? reply.toString() : undefined;
  }

  /** @param isLost whether entries are known to be missing */
  async enter(partition: number, entries: readonly Buffer[], isLost = false): Promise<void> {
    const keys = this.#indexes[partition]!;
    const ttlMs = 2 * this.settings.ttlMs;
    const chunks = entries.length === 0 ? [[]] : chunksOf(entries);
    await Promise.all(
      chunks.map((chunk) => {
        const args = { ttlMs, isLost, layout: chunk.map(({ length }) => length), payload: Buffer.concat(chunk) };
        return this.#add("enter", this.#enters, keys.index, { keys, args }, args.payload.length);
      }),
    );
  }

  async leave(partition: number, entries: readonly Buffer[]): Promise<void> {
    const { index } = this.#indexes[partition]!;
    for (const chunk of chunksOf(entries)) await this.#send("write", "idempotent", ["ZREM", index, ...chunk], index);
  }

  async range(partition: number, { min, max }: Range, limit: number, isReverse: boolean): Promise<Buffer[]> {
    const { index } = this.#indexes[partition]!;
    const [from, to] = [prefixed("[", min), prefixed("(", max)];
    const command = isReverse ? ["ZREVRANGEBYLEX", index, to, from] : ["ZRANGEBYLEX", index, from, to];
    return members(await this.#send("find", "read", [...command, "LIMIT", "0", String(limit)], index));
  }

  /** How many entries there are in each of the ranges, over all partitions. */
  async counts(ranges: readonly Range[]): Promise<number[]> {
    const replies = await Promise.all(
      this.#indexes.map(({ index }) => {
        const commands = ranges.map(({ min, max }) => ["ZLEXCOUNT", index, prefixed("[", min), prefixed("(", max)]);
        return this.driver.batch(commands, { ...this.#call("find"), class: "read" }, index);
      }),
    );
    return ranges.map((_, at) => replies.reduce((sum, each) => sum + Number(orThrow(each[at]!)), 0));
  }

  /** Whether the indexes have all that they had: false where one was evicted, or is being built. */
  async areWhole(): Promise<boolean> {
    const replies = await Promise.all(
      this.#indexes.map(({ index, born }) => {
        const commands = [
          ["ZRANGEBYLEX", index, "[\0", "(\x01"],
          ["EXISTS", born],
        ];
        return this.driver.batch(commands, { ...this.#call("find"), class: "read" }, index);
      }),
    );
    return replies.every(([marks, born]) => {
      const [begun, lost] = members(orThrow(marks!));
      return begun === undefined ? orThrow(born!) === 0 : begun.equals(BEGUN) && lost === undefined;
    });
  }

  /** When the partition was marked as not whole. */
  async lostAt(partition: number): Promise<number> {
    return Math.max(0, ...(await this.#losses(partition)).map(timeOfLoss));
  }

  /** Takes the mark of a loss from a partition that has been gone through since. */
  async mended(partition: number, begunAt: number): Promise<void> {
    const losses = await this.#losses(partition);
    await this.leave(
      partition,
      losses.filter((mark) => timeOfLoss(mark) <= begunAt),
    );
  }

  async #losses(partition: number): Promise<Buffer[]> {
    const { index } = this.#indexes[partition]!;
    return members(await this.#send("reindex", "read", ["ZRANGEBYLEX", index, `[${LOST}`, "(\x01"], index));
  }

  async sample(partition: number, count: number): Promise<Buffer[]> {
    const { index } = this.#indexes[partition]!;
    return members(await this.#send("write", "read", ["ZRANDMEMBER", index, String(count)], index));
  }

  async scan(partition: number, cursor: string, count: number): Promise<{ cursor: string; entries: Buffer[] }> {
    const { index } = this.#indexes[partition]!;
    const reply = await this.#send("reindex", "read", ["ZSCAN", index, cursor, "COUNT", String(count)], index);
    const [next, flat] = reply as [Buffer, Buffer[]];
    return { cursor: next.toString(), entries: flat.filter((_, at) => at % 2 === 0) };
  }

  async scores(partition: number, entries: readonly Buffer[]): Promise<boolean[]> {
    const { index } = this.#indexes[partition]!;
    const there: boolean[] = [];
    for (const chunk of chunksOf(entries)) {
      const reply = await this.#send("reindex", "read", ["ZMSCORE", index, ...chunk], index);
      there.push(...(reply as (Buffer | null)[]).map((score) => score !== null));
    }
    return there;
  }

  /** Fields of a record's hash as they are named there; undefined where there is no record. */
  async fields(op: string, id: Id, names: readonly string[]): Promise<ReadonlyMap<string, Buffer> | undefined> {
    const key = this.#records.key(id);
    const call = { ...this.#call(op), key: String(id), class: "read" } as const;
    this.#lanes.commit.flush(this.driver.slotOf(key));
    const all = ["version", ...names];
    const values = decodedBy(decodeBytes, await this.driver.send(["HMGET", key, ...all], call, key), "HMGET", call);
    if (values[0] === null) return undefined;
    return new Map(all.flatMap((name, at) => (values[at] ? [[name, values[at]] as const] : [])));
  }

  /** All fields of a record's hash; undefined where there is no record. */
  async whole(op: string, id: Id): Promise<ReadonlyMap<string, Buffer> | undefined> {
    const key = this.#records.key(id);
    this.#lanes.commit.flush(this.driver.slotOf(key));
    const call = { ...this.#call(op), key: String(id), class: "read" } as const;
    const flat = members(await this.driver.send(["HGETALL", key], call, key));
    const fields = new Map<string, Buffer>();
    for (let at = 0; at < flat.length; at += 2) fields.set(flat[at]!.toString(), flat[at + 1]!);
    return fields.has("version") ? fields : undefined;
  }

  /** @throws OutcomeUnknownError for a write whose answer was lost and which the record may have forgotten */
  async commit(op: string, id: Id, given: Omit<CommitArgs, "opId" | "againMs" | "ttlMs">): Promise<Committed> {
    const record = this.#records.key(id);
    const opId = this.driver.runtime.randomBytes(6).toString("base64url");
    const args: CommitArgs = { ...given, opId, againMs: 0, ttlMs: this.settings.ttlMs };
    const againMs = this.settings.timeoutMs ?? this.driver.timeoutMs;
    const item = { keys: { record }, args, key: String(id), onRepeat: (): CommitArgs => ({ ...args, againMs }) };
    const result = await this.#add("commit", this.#commits, record, item, given.payload.length);
    if (result.status === "forgotten") throw unknownAfterRepeat(op, String(id));
    return result;
  }

  /** Deletes a record; what it had in these fields of its hash, or undefined where there was none. */
  async take(id: Id, names: readonly string[]): Promise<ReadonlyMap<string, Buffer> | undefined> {
    const record = this.#records.key(id);
    this.#lanes.commit.flush(this.driver.slotOf(record));
    const call = { ...this.#call("delete"), key: String(id) };
    const result = await runScript(this.driver, take, { record }, { fields: [...names] }, call);
    if (result.status === "missing") return undefined;
    return new Map(names.flatMap((name, at) => (result.values[at]!.length > 0 ? [[name, result.values[at]!]] : [])));
  }

  /** Work that nobody waits for, and which may fail: what it leaves behind is told from what is true, and is removed later. */
  background(work: Promise<unknown>): void {
    work.catch(() => undefined);
  }

  #add<Keys, Args, Result>(
    which: "commit" | "enter" | "claim" | "unclaim",
    kind: BatchKind<BatchItem<Keys, Args>, Result>,
    key: string,
    item: BatchItem<Keys, Args>,
    bytes = 0,
  ): Promise<Result> {
    const lane = this.#lanes[which];
    const slot = this.driver.slotOf(key);
    const alone = bytes > MAX_MERGED_BYTES;
    if (alone) lane.flush(slot);
    const result = lane.add(kind, slot, item);
    if (alone) lane.flush(slot);
    return result;
  }

  #send(op: string, opClass: "read" | "idempotent", args: (string | Buffer)[], key: string): Promise<Reply> {
    return this.driver.send(args, { ...this.#call(op), class: opClass }, key);
  }

  #call(operation: string): UnclassedCall {
    return { op: `records.${operation}`, key: this.#name, timeoutMs: this.settings.timeoutMs };
  }
}

function chunksOf(entries: readonly Buffer[]): (readonly Buffer[])[] {
  const count = Math.ceil(entries.length / MAX_ENTRIES);
  return Array.from({ length: count }, (_, at) => entries.slice(at * MAX_ENTRIES, (at + 1) * MAX_ENTRIES));
}

const prefixed = (mark: "[" | "(", bytes: Buffer): Buffer => Buffer.concat([Buffer.from(mark), bytes]);

const timeOfLoss = (mark: Buffer): number => Number(mark.toString("latin1", LOST.length));

const members = (reply: Reply): Buffer[] => (Array.isArray(reply) ? (reply as Buffer[]) : []);

const decodeBytes = (reply: Reply): (Buffer | null)[] =>
  decodeList(reply, (part) => (Buffer.isBuffer(part) ? part : null));
