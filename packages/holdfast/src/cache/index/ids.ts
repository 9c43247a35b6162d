/**
 * The ids of a cache, where it keeps an index of them (option `index`): in the slot of each entry, changed by the scripts that change the entry.
 *
 * An entry that is stored is in the index before it is there, so what is there is listed; an id whose entry has expired, was evicted or is invalid is dropped
 * when it is come across, here or by a later write. In a cluster there may be as many indexes as slots.
 */
import { HoldfastError } from "../../base/errors.ts";
import type { BatchKind } from "../../core/batch/lane.ts";
import { orThrow, scriptKind } from "../../core/batch/script-kind.ts";
import type { ServerClock } from "../../core/clock/server-clock.ts";
import { holdsUndefined } from "../../core/codec/header.ts";
import type { Core } from "../../core/core.ts";
import type { BatchItem } from "../../core/script/run.ts";
import type { Call, Reply } from "../../driver/port.ts";
import { SLOTS } from "../../driver/slot.ts";
import { aboutEnd, aboutOf, freshUntil, hasAbout, hasGrace, isEntry, markOf, payloadOf, sequenceOf } from "../entry.ts";
import { forget, type ForgetArgs, type ForgetKeys } from "../scripts.gen.ts";
import type { CacheStore } from "../store.ts";
import { IndexKeys } from "./keys.ts";

const OP = "cache.keys";
const PAGE = 256;
/** Slots that are asked at a time. */
const SLOTS_AT_ONCE = 512;
/** Of an entry: so much that it is known how much there is about it, and whether it is one. */
const FIRST_BYTES = 17;
const NOTHING = Buffer.alloc(0);

type Store = Pick<CacheStore, "key" | "validity" | "lane">;

export class Ids {
  readonly #core: Core;
  readonly #keys: IndexKeys;
  readonly #store: Store;
  readonly #clock: ServerClock;
  readonly #call: Call;
  readonly #forget: BatchKind<BatchItem<ForgetKeys, ForgetArgs>, boolean>;

  constructor(core: Core, name: string, store: Store, clock: ServerClock, timeoutMs: number) {
    this.#core = core;
    this.#keys = new IndexKeys(core, name);
    this.#store = store;
    this.#clock = clock;
    this.#call = { op: OP, class: "read", timeoutMs, patienceMs: timeoutMs };
    this.#forget = scriptKind(core.driver, forget, { op: OP, timeoutMs }, orThrow);
  }

  /** Ids that have a value; those that have none any more are dropped. */
  async *live(prefix: string | undefined): AsyncGenerator<string, void, undefined> {
    for await (const page of this.#pages(prefix ?? "")) yield* await this.#live(page);
  }

  /** Ids with the values that `read` finds. */
  async *found<V>(
    prefix: string | undefined,
    read: (page: readonly string[]) => Promise<readonly (V | undefined)[]>,
  ): AsyncGenerator<readonly [string, V], void, undefined> {
    for await (const page of this.#pages(prefix ?? "")) {
      const values = await read(page);
      const missing: string[] = [];
      for (const [at, id] of page.entries()) {
        const value = values[at];
        if (value === undefined) missing.push(id);
        else yield [id, value];
      }
      await this.#live(missing);
    }
  }

  /** Pages of ids that have, or had, an entry. */
  async *#pages(prefix: string): AsyncGenerator<readonly string[]> {
    await this.#store.validity.ready(OP);
    const slots = this.#core.driver.caps.cluster ? Array.from({ length: SLOTS }, (_, slot) => slot) : [0];
    for (let from = 0; from < slots.length; from += SLOTS_AT_ONCE) {
      let open = slots.slice(from, from + SLOTS_AT_ONCE).map((slot) => ({ slot, after: `[${prefix}` }));
      while (open.length > 0) {
        const pages = await Promise.all(open.map(({ slot, after }) => this.#page(slot, after, prefix)));
        yield* pages.filter((page) => page.length > 0);
        open = open.flatMap(({ slot }, at) =>
          pages[at]!.length < PAGE ? [] : [{ slot, after: `(${pages[at]!.at(-1)}` }],
        );
      }
    }
  }

  async #live(page: readonly string[]): Promise<string[]> {
    const isLive = await Promise.all((await this.#heads(page)).map((head, at) => this.#isLive(page[at]!, head)));
    return page.filter((_, at) => isLive[at]);
  }

  async #page(slot: number, after: string, prefix: string): Promise<string[]> {
    const { ids } = this.#keys.in(slot);
    // No text has a byte 255.
    const end = prefix === "" ? "+" : Buffer.concat([Buffer.from(`(${prefix}`), Buffer.of(255)]);
    const min = after === "[" ? "-" : after;
    const args = ["ZRANGE", ids, min, end, "BYLEX", "LIMIT", "0", String(PAGE)];
    return ((await this.#core.driver.send(args, this.#call, ids)) as Buffer[]).map(String);
  }

  /** How each entry begins, up to its value. */
  async #heads(page: readonly string[]): Promise<Buffer[]> {
    const heads = await this.#begin(page.map((id) => ({ id, bytes: FIRST_BYTES })));
    const longer = heads.flatMap((head, at) => (head.length === FIRST_BYTES && hasAbout(head) ? [at] : []));
    const rest = await this.#begin(longer.map((at) => ({ id: page[at]!, bytes: aboutEnd(heads[at]!) + 4 })));
    for (const [nth, at] of longer.entries()) heads[at] = rest[nth]!;
    return heads;
  }

  async #begin(wanted: readonly { readonly id: string; readonly bytes: number }[]): Promise<Buffer[]> {
    if (wanted.length === 0) return [];
    const commands = wanted.map(({ id, bytes }) => ["GETRANGE", this.#store.key(id), "0", String(bytes - 1)]);
    const outcomes = await this.#core.driver.batch(commands, this.#call, commands[0]![1]);
    return outcomes.map((outcome: Reply | HoldfastError) => {
      if (Buffer.isBuffer(outcome)) return outcome;
      // Of another type: no entry of ours.
      if (outcome instanceof HoldfastError && outcome.code !== "WRONG_TYPE") throw outcome;
      return NOTHING;
    });
  }

  async #isLive(id: string, head: Buffer): Promise<boolean> {
    if (head.length === 0) return this.#drop(id, NOTHING);
    if (!isEntry(head) || holdsUndefined(payloadOf(head))) return false;
    const isValid = await this.#store.validity.verify(this.#store.key(id), sequenceOf(head), aboutOf(head)?.t);
    if (!isValid) return this.#drop(id, markOf(head));
    if (!hasGrace(head)) return true;
    const now = await this.#clock.known();
    return now === undefined || freshUntil(head) > now;
  }

  /** Not waited for: the next listing comes across it too. */
  #drop(id: string, mark: Buffer): false {
    const value = this.#store.key(id);
    const item = { keys: { value, ...this.#keys.of(value) }, args: { id, mark }, key: id };
    this.#store.lane.add(this.#forget, this.#core.driver.slotOf(value), item).catch(() => undefined);
    return false;
  }
}
