/** The server's side of counters: which calls share a command, and what the replies mean. */
import { HoldfastError } from "../base/errors.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { decodeInt, decodeList } from "../core/script/decode.ts";
import { type BatchItem, decodedBy, type UnclassedCall } from "../core/script/run.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { Driver, Reply } from "../driver/port.ts";
import type { CounterLife, CounterRing, CounterSettings } from "./options.ts";
import {
  increment,
  incrementBig,
  incrementBigOnce,
  incrementOnce,
  incrementRings,
  incrementRingsOnce,
} from "./scripts.gen.ts";

/** What the scripts of all kinds of counters have in common. */
interface Added<V> {
  readonly status: "ok" | "limit";
  readonly value: V;
}
type Add = BatchItem<object, object>;

/** In one script: at most about a millisecond of the server's time. */
const MAX_ADDS = 128;
/** A counter with sums by period costs about three times as much. */
const MAX_RINGED = 40;
/** Periods that are looked up one by one. */
const MAX_LOOKED_UP = 16;
const OP_GET = "counter.get";
const INT64 = /^-?\d{1,19}$/;

export class CounterStore<V extends number | bigint> {
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: CounterSettings;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, Added<V>>;
  readonly #addsOnce: BatchKind<Add, Added<V>>;
  readonly #reads: BatchKind<KeyRead, V>;

  constructor(driver: Driver, keys: EntryKeys, settings: CounterSettings) {
    this.#driver = driver;
    this.#keys = keys;
    this.#settings = settings;
    const { isBig, rings } = settings;
    const maxItems = rings === undefined ? MAX_ADDS : MAX_RINGED;
    const kind = (script: unknown): BatchKind<Add, Added<V>> => {
      const typed = script as BatchScript<object, object, Added<V>>;
      const call = this.#call("counter.increment");
      return { ...scriptKind<object, object, Added<V>, Add, Added<V>>(driver, typed, call, orThrow), maxItems };
    };
    this.#adds = kind(isBig ? incrementBig : rings === undefined ? increment : incrementRings);
    this.#addsOnce = kind(isBig ? incrementBigOnce : rings === undefined ? incrementOnce : incrementRingsOnce);
    const valueOf = isBig ? bigOf : numberOf;
    this.#reads = readKind(
      driver,
      { ...this.#call(OP_GET), class: "read" },
      valueOf as (outcome: Reply | HoldfastError, item: KeyRead) => V,
    );
  }

  increment(id: Id, by: V, life: CounterLife): Promise<Added<V>> {
    const keys = this.#written(id);
    const add = { keys, args: this.#args(by, life), key: String(id) };
    return this.#lane.add(this.#adds, this.#driver.slotOf(keys.counter), add);
  }

  incrementOnce(id: Id, by: V, life: CounterLife, idempotencyKey: string): Promise<Added<V>> {
    const keys = this.#written(id);
    const receipt = this.#keys.part(id, `once:${idempotencyKey}`);
    const args = { ...this.#args(by, life), receiptTtlMs: this.#settings.receiptTtlMs };
    const add = { keys: { ...keys, receipt }, args, key: String(id) };
    return this.#lane.add(this.#addsOnce, this.#driver.slotOf(keys.counter), add);
  }

  get(id: Id): Promise<V> {
    const key = this.#keys.key(id);
    return this.#lane.add(this.#reads, this.#driver.slotOf(key), { key, id });
  }

  async reset(id: Id): Promise<boolean> {
    const key = this.#keys.key(id);
    this.#lane.flush(this.#driver.slotOf(key));
    const call = { ...this.#call("counter.reset"), class: "idempotent", key: String(id) } as const;
    const rings = (this.#settings.rings ?? []).filter(({ keep }) => keep > 0).map((ring) => this.#ringKey(id, ring));
    if (rings.length === 0) return (await this.#driver.send(["DEL", key], call, key)) === 1;
    const [counter, others] = await this.#driver.batch(
      [
        ["DEL", key],
        ["DEL", ...rings],
      ],
      call,
      key,
    );
    orThrow(others!);
    return orThrow(counter!) === 1;
  }

  /** Of these periods, those in which something was added, with their sums. */
  async ring(id: Id, ring: CounterRing, periods: readonly number[]): Promise<Map<number, number>> {
    const key = this.#ringKey(id, ring);
    this.#lane.flush(this.#driver.slotOf(key));
    const call = { ...this.#call("counter.window"), class: "read", key: String(id) } as const;
    const isFew = periods.length <= MAX_LOOKED_UP;
    const command = isFew ? ["HMGET", key, ...periods.map((period) => String(period % ring.keep))] : ["HGETALL", key];
    const parts = decodedBy(decodeTexts, await this.#driver.send(command, call, key), command[0]!, call);
    const sums = new Map<number, number>();
    for (const part of parts) {
      // Of HGETALL, names of fields are among them; they have no space.
      const space = part.indexOf(" ");
      if (space > 0) sums.set(Number(part.slice(0, space)), Number(part.slice(space + 1)));
    }
    return sums;
  }

  #written(id: Id): { readonly counter: string } {
    const counter = this.#keys.key(id);
    const { rings } = this.#settings;
    if (rings === undefined) return { counter };
    const [minutes, hours, days] = rings.map((ring) => this.#ringKey(id, ring));
    return { counter, minutes, hours, days } as { readonly counter: string };
  }

  #ringKey(id: Id, { per }: CounterRing): string {
    return this.#keys.part(id, `per:${per}`);
  }

  #args(by: V, life: CounterLife): object {
    const { min, max, rings } = this.#settings;
    const args = { by, min, max, ttlMs: life.ttlMs, renew: life.renew };
    if (rings === undefined) return args;
    return { ...args, keepMinutes: rings[0]!.keep, keepHours: rings[1]!.keep, keepDays: rings[2]!.keep };
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}

export function numberOf(outcome: Reply | HoldfastError, { id }: KeyRead): number {
  const reply = orThrow(outcome);
  try {
    return reply === null ? 0 : decodeInt(reply);
  } catch (cause) {
    throw foreign(id, "within ±(2^53 - 1)", cause);
  }
}

function bigOf(outcome: Reply | HoldfastError, { id }: KeyRead): bigint {
  const reply = orThrow(outcome);
  const text = reply === null ? "0" : Buffer.isBuffer(reply) ? reply.toString("latin1") : "";
  if (!INT64.test(text)) throw foreign(id, "of 64 bits", undefined);
  return BigInt(text);
}

function foreign(id: Id, which: string, cause: unknown): HoldfastError {
  const message = `${OP_GET} ${JSON.stringify(id)}: the key holds no whole number ${which}`;
  return new HoldfastError("WRONG_TYPE", message, { op: OP_GET, key: String(id), cause });
}

function decodeTexts(reply: Reply): string[] {
  return decodeList(reply, (part) => (Buffer.isBuffer(part) ? part.toString("latin1") : ""));
}
