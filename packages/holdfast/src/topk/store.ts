/** The server's side of a top-k: which calls share a script, and what the replies mean. */
import { grouped } from "../core/batch/grouped.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { decodeFloat, decodeInt, decodeList, decodeOptional, decodeRows, decodeText } from "../core/script/decode.ts";
import { asHoldfastError, type BatchItem, decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Window } from "../core/window/windows.ts";
import type { Driver, Reply } from "../driver/port.ts";
import type { TopKSettings } from "./options.ts";
import { add, addOnce, type AddOnceArgs, type AddOnceKeys, type AddOnceResult } from "./scripts.gen.ts";

export interface Counted {
  readonly member: string;
  readonly count: number;
}

/** A window's list, or a part of it. */
export interface List {
  readonly counts: readonly Counted[];
  /** How much a count may be too high, and the count that a member may have which is not in it. */
  readonly error: number;
}

interface Add {
  readonly list: string;
  readonly expiresAt: number;
  readonly member: string;
  readonly by: number;
}

/** In one script: less than a millisecond of the server's time. */
const MAX_ADDS = 128;
/** Keys in one UNLINK. */
const UNLINKED = 512;

export class TopKStore {
  readonly #driver: Driver;
  readonly #settings: TopKSettings;
  readonly #keys: GroupKeys;
  readonly #name: string;
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, void>;
  readonly #addsOnce: BatchKind<BatchItem<AddOnceKeys, AddOnceArgs>, AddOnceResult>;

  constructor(core: Core, name: string, settings: TopKSettings) {
    this.#driver = core.driver;
    this.#settings = settings;
    this.#name = name;
    this.#keys = core.keys.group("topk", name);
    this.#slot = this.#driver.slotOf(this.#keys.key);
    this.#adds = { maxItems: MAX_ADDS, run: (group) => void this.#addGroup(group) };
    this.#addsOnce = scriptKind(this.#driver, addOnce, this.#call("add"), orThrow);
  }

  /** @param window undefined where there are no windows */
  keyOf(window: Window | undefined): string {
    const { counters, span } = this.#settings;
    if (window === undefined || span.windows === undefined) return this.#keys.part(String(counters));
    return this.#keys.part(`${counters}:${span.windows.label}:${window.number}`);
  }

  add(window: Window | undefined, expiresAt: number, member: string, by: number): Promise<void> {
    return this.#lane.add(this.#adds, this.#slot, { list: this.keyOf(window), expiresAt, member, by });
  }

  async addOnce(
    window: Window | undefined,
    expiresAt: number,
    { member, count: by }: Counted,
    idempotencyKey: string,
  ): Promise<void> {
    const { counters, receiptTtlMs } = this.#settings;
    const args = { counters, ttlMs: this.#ttlMs, expiresAt, member, by, receiptTtlMs };
    const keys = { list: this.keyOf(window), receipt: this.#keys.part("once", idempotencyKey) };
    await this.#lane.add(this.#addsOnce, this.#slot, { keys, args, key: member });
  }

  /** All of a window. */
  async whole(window: Window | undefined): Promise<List> {
    const key = this.keyOf(window);
    this.#lane.flush(this.#slot);
    const call = { ...this.#call("list"), class: "read" } as const;
    const reply = await this.#driver.send(["ZRANGE", key, "0", "-1", "WITHSCORES"], call, key);
    const counts = decodedBy(decodeCounts, reply, "ZRANGE", call);
    return { counts, error: this.#errorOf(counts.length, counts.slice(0, 1)) };
  }

  /** The highest counts of a window. */
  async head(window: Window | undefined, limit: number): Promise<List> {
    const key = this.keyOf(window);
    const call = { ...this.#call("list"), class: "read" } as const;
    const [top, bounds] = await this.#asked(call, key, ["ZRANGE", key, "0", String(limit - 1), "REV", "WITHSCORES"]);
    return { counts: decodedBy(decodeCounts, top, "ZRANGE", call), error: bounds };
  }

  /** Of each of the members; null for one that is not in the list. */
  async scores(
    window: Window | undefined,
    members: readonly string[],
  ): Promise<{ readonly counts: (number | null)[]; readonly error: number }> {
    const key = this.keyOf(window);
    const call = { ...this.#call("counts"), class: "read" } as const;
    const [scores, error] = await this.#asked(call, key, ["ZMSCORE", key, ...members]);
    return { counts: decodedBy(decodeScores, scores, "ZMSCORE", call), error };
  }

  async unlink(keys: readonly string[]): Promise<void> {
    this.#lane.flush(this.#slot);
    const call = { ...this.#call("clear"), class: "idempotent" } as const;
    for (let at = 0; at < keys.length; at += UNLINKED)
      await this.#driver.send(["UNLINK", ...keys.slice(at, at + UNLINKED)], call, keys[0]);
  }

  get #ttlMs(): number {
    const { span } = this.#settings;
    return span.windows === undefined ? span.ttlMs : 0;
  }

  /** A command's reply, and what a count of the list may be wrong by; that is asked for after the counts, as it only rises. */
  async #asked(
    call: UnclassedCall & { readonly class: "read" },
    key: string,
    command: readonly string[],
  ): Promise<[Reply, number]> {
    this.#lane.flush(this.#slot);
    const commands = [command, ["ZCARD", key], ["ZRANGE", key, "0", "0", "WITHSCORES"]];
    const [reply, size, lowest] = (await this.#driver.batch(commands, call, key)).map(orThrow);
    const count = decodedBy(decodeInt, size!, "ZCARD", call);
    return [reply!, this.#errorOf(count, decodedBy(decodeCounts, lowest!, "ZRANGE", call))];
  }

  #errorOf(size: number, lowest: readonly Counted[]): number {
    return size < this.#settings.counters ? 0 : (lowest[0]?.count ?? 0);
  }

  /** Those of one window go in one script, each member once. */
  async #addGroup(group: readonly Pending<Add, void>[]): Promise<void> {
    await Promise.all(
      [...grouped(group, ({ item }) => item.list).values()].map(async (pendings) => {
        try {
          const { list, expiresAt } = pendings[0]!.item;
          const sums = new Map<string, number>();
          for (const { item } of pendings) sums.set(item.member, (sums.get(item.member) ?? 0) + item.by);
          const entries = [...sums].flatMap(([member, by]) => [member, String(by)]);
          const args = { counters: this.#settings.counters, ttlMs: this.#ttlMs, expiresAt, entries };
          await runScript(this.#driver, add, { list }, args, this.#call("add"));
          for (const pending of pendings) pending.resolve();
        } catch (error) {
          for (const pending of pendings) pending.reject(asHoldfastError(error));
        }
      }),
    );
  }

  #call(operation: string): UnclassedCall {
    return { op: `topk.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}

/** Pairs under RESP3, and flat under RESP2. */
function decodeCounts(reply: Reply): Counted[] {
  return decodeRows(Array.isArray(reply) ? reply.flat() : reply, 2, (row, at) => ({
    member: decodeText(row[at]),
    count: decodeFloat(row[at + 1]),
  }));
}

const decodeScores = (reply: Reply): (number | null)[] =>
  decodeList(reply, (part) => decodeOptional(part, decodeFloat));
