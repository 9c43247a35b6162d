/** The server's side of a series: its keys, which calls share a command, and what the replies mean. */
import type { HoldfastError } from "../base/errors.ts";
import { grouped } from "../core/batch/grouped.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys } from "../core/keyspace/keyspace.ts";
import { decodeList } from "../core/script/decode.ts";
import { type BatchItem, decodedBy, runMerged, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Driver, Reply } from "../driver/port.ts";
import { POINT_BYTES, writePoint } from "./chunk/chunk.ts";
import type { Rollup, SeriesSettings } from "./options.ts";
import {
  append,
  type AppendArgs,
  type AppendKeys,
  appendOnce,
  type AppendResult,
  seal,
  type SealArgs,
} from "./scripts.gen.ts";

interface Add {
  readonly id: string;
  readonly at: number;
  readonly value: number;
  readonly chunk: string;
}

/** Where the points of one period of one series are. */
export interface Place {
  readonly id: string;
  /** Periods since 1970. */
  readonly period: number;
}

/** Points in one group; each chunk among them costs the server about 4 us, and 256 of those go in one script. */
const MAX_POINTS = 4_096;
const VALUE_BYTES = 8;

export class SeriesStore {
  readonly name: string;
  readonly settings: SeriesSettings;
  readonly driver: Driver;
  readonly #keys: EntryKeys;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, AppendResult>;
  readonly #newest: BatchKind<KeyRead, Buffer | null>;

  constructor(core: Core, name: string, settings: SeriesSettings) {
    this.name = name;
    this.settings = settings;
    this.driver = core.driver;
    this.#keys = core.keys.entries("series", name);
    this.#adds = { maxItems: MAX_POINTS, run: (group) => void this.#append(group) };
    this.#newest = readKind(this.driver, { ...this.#call("last"), class: "read" }, bytesOrThrow);
  }

  periodOf(at: number): number {
    return Math.floor(at / this.settings.periodMs);
  }

  startOf(period: number): number {
    return period * this.settings.periodMs;
  }

  openKey({ id, period }: Place): string {
    return this.#keys.part(id, `${this.settings.periodMs}:${period}`);
  }

  sealedKey({ id, period }: Place): string {
    return this.#keys.part(id, `${this.settings.periodMs}:${period}:sealed`);
  }

  rollupKey({ id, period }: Place, { everyMs, periods }: Rollup): string {
    return this.#keys.part(id, `${this.settings.periodMs}:every:${everyMs}:${Math.floor(period / periods)}`);
  }

  /** When the last of what is stored of the period goes. */
  lastExpiresAt(period: number): number {
    const { rollups } = this.settings;
    return Math.max(this.expiresAt(period), ...rollups.map((rollup) => this.rollupExpiresAt(period, rollup)));
  }

  /** When a chunk of the period goes. */
  expiresAt(period: number): number {
    return this.startOf(period + 1) + this.settings.keepMs;
  }

  rollupExpiresAt(period: number, { periods, keepMs }: Rollup): number {
    return this.startOf((Math.floor(period / periods) + 1) * periods) + keepMs;
  }

  append(id: string, at: number, value: number): Promise<AppendResult> {
    const chunk = this.openKey({ id, period: this.periodOf(at) });
    return this.#lane.add(this.#adds, this.driver.slotOf(chunk), { id, at, value, chunk });
  }

  newest(id: string): Promise<Buffer | null> {
    const key = this.#keys.key(id);
    return this.#lane.add(this.#newest, this.driver.slotOf(key), { key, id });
  }

  /** The bytes of string keys of one series. */
  async chunks(id: string, keys: readonly string[]): Promise<(Buffer | null)[]> {
    if (keys.length === 0) return [];
    this.#lane.flush(this.driver.slotOf(keys[0]!));
    const call = { ...this.#call("range"), key: id, class: "read" } as const;
    return decodedBy(decodeBytes, await this.driver.send(["MGET", ...keys], call, keys[0]), "MGET", call);
  }

  /** Of a roll-up, what is stored for these periods. */
  async rolled(rollup: Rollup, id: string, periods: readonly number[]): Promise<(Buffer | null)[]> {
    const byKey = grouped(periods, (period) => this.rollupKey({ id, period }, rollup));
    const call = { ...this.#call("range"), key: id, class: "read" } as const;
    const commands = [...byKey].map(([key, fields]) => ["HMGET", key, ...fields.map(String)]);
    const replies = await this.driver.batch(commands, call, [...byKey.keys()][0]);
    return replies.flatMap((reply) => decodedBy(decodeBytes, orThrow(reply), "HMGET", call));
  }

  async seal(
    place: Place,
    args: Omit<SealArgs, "expiresAt" | "field" | "rolled">,
    rolled: readonly Buffer[],
  ): Promise<boolean> {
    const { rollups } = this.settings;
    const keys = {
      open: this.openKey(place),
      sealed: this.sealedKey(place),
      rollups: rollups.map((rollup) => this.rollupKey(place, rollup)),
    };
    const expiries = rollups.map((rollup) => String(this.rollupExpiresAt(place.period, rollup)));
    const whole: SealArgs = {
      ...args,
      expiresAt: this.expiresAt(place.period),
      field: String(place.period),
      rolled: rolled.flatMap((bytes, at) => [bytes, expiries[at]!]),
    };
    const call = { ...this.#call("seal"), key: place.id };
    return (await runScript(this.driver, seal, keys, whole, call)).status === "ok";
  }

  /** Of keys of one series, how many there were. */
  async unlink(id: string, keys: readonly string[]): Promise<number> {
    this.#lane.flush(this.driver.slotOf(keys[0]!));
    const call = { ...this.#call("remove"), key: id, class: "idempotent" } as const;
    return Number(await this.driver.send(["UNLINK", ...keys], call, keys[0]));
  }

  newestKey(id: string): string {
    return this.#keys.key(id);
  }

  /** The points of one chunk go in one piece. */
  async #append(group: readonly Pending<Add, AppendResult>[]): Promise<void> {
    const byChunk = [...grouped(group, ({ item }) => item.chunk).values()];
    const items = byChunk.map((pendings) => this.#item(pendings.map(({ item }) => item)));
    const script = isOnce(this.settings) ? appendOnce : append;
    const outcomes = await runMerged<AppendKeys, AppendArgs, AppendResult>(
      this.driver,
      script,
      items,
      this.#call("add"),
    );
    for (const [at, pendings] of byChunk.entries())
      for (const pending of pendings) settlePending(pending, outcomes[at]!);
  }

  #item(adds: readonly Add[]): BatchItem<AppendKeys, AppendArgs> {
    const { id, chunk } = adds[0]!;
    const period = this.periodOf(adds[0]!.at);
    const start = this.startOf(period);
    const points = Buffer.allocUnsafe(adds.length * POINT_BYTES);
    let newest = adds[0]!;
    for (const [at, add] of adds.entries()) {
      writePoint(points, at * POINT_BYTES, add.at - start, add.value);
      if (add.at >= newest.at) newest = add;
    }
    const value = Buffer.allocUnsafe(VALUE_BYTES);
    value.writeDoubleLE(newest.value);
    const maxBytes = this.settings.maxPoints * POINT_BYTES;
    const args = { points, expiresAt: this.expiresAt(period), maxBytes, at: newest.at, value };
    return { keys: { chunk, newest: this.#keys.key(id) }, args, key: id };
  }

  #call(operation: string): UnclassedCall {
    return { op: `series.${operation}`, key: this.name, timeoutMs: this.settings.timeoutMs };
  }
}

/** Whether a point that is stored twice would count twice. */
function isOnce({ duplicates }: SeriesSettings): boolean {
  return duplicates === "sum" || duplicates === "all";
}

function settlePending<T>(pending: Pending<unknown, T>, outcome: T | HoldfastError): void {
  try {
    pending.resolve(orThrow(outcome));
  } catch (error) {
    pending.reject(error);
  }
}

const bytesOrThrow = (outcome: Reply | HoldfastError): Buffer | null => {
  const reply = orThrow(outcome);
  return Buffer.isBuffer(reply) ? reply : null;
};

export const decodeBytes = (reply: Reply): (Buffer | null)[] =>
  decodeList(reply, (part) => (Buffer.isBuffer(part) ? part : null));
