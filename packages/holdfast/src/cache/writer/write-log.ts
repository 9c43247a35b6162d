/** The server's side of writing behind: what is accepted, claimed, and ended. */
import { inChunks } from "../../core/batch/in-chunks.ts";
import type { BatchKind } from "../../core/batch/lane.ts";
import { orThrow, scriptKind } from "../../core/batch/script-kind.ts";
import type { Core } from "../../core/core.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import { type BatchItem, MAX_BATCH_ITEMS, MAX_MERGED_BYTES, runScript } from "../../core/script/run.ts";
import type { BatchScript } from "../../core/script/script.ts";
import { Logs } from "./logs.ts";
import type { WriterSettings } from "./options.ts";
import type { WriterCache } from "./port.ts";
import { buriedOf, type BuriedWrite, pendingOf, type PendingWrite } from "./record.ts";
import {
  accept,
  type AcceptArgs,
  type AcceptKeys,
  type AcceptResult,
  bury,
  type BuryResult,
  claim,
  lag,
  mend,
  redrive,
  type RedriveKeys,
  settle,
  type SettleArgs,
  type SettleKeys,
} from "./scripts.gen.ts";

/** How long the last number of a log outlives its last write: as long as a server's clock may be set back. */
const KEEP_MS = 86_400_000;
const MAX_CLAIM_BYTES = 4 * 1024 * 1024;
const PAGE = 100;
const MAX_REASON = 500;

export interface Claimed {
  readonly writes: readonly ClaimedWrite[];
  /** Ids whose write was evicted. */
  readonly lost: readonly string[];
}

export interface ClaimedWrite extends PendingWrite {
  readonly slot: number;
}

export class WriteLog {
  readonly logs: Logs;
  readonly #core: Core;
  readonly #cache: WriterCache;
  readonly #kinds: ReturnType<typeof kindsOf>;

  constructor(core: Core, cache: WriterCache) {
    this.#core = core;
    this.#cache = cache;
    this.logs = new Logs(core, cache.name, cache.timeoutMs);
    this.#kinds = kindsOf(core, cache);
  }

  /** Whether it is known yet which slot an entry is in; resolves when it is. */
  known(): Promise<unknown> | undefined {
    const { driver } = this.#core;
    if (driver.caps.engine !== "unknown") return undefined;
    return driver.send(["PING"], { op: "cache.write", class: "read", timeoutMs: this.#cache.timeoutMs });
  }

  /** @param payload undefined: the entry is removed */
  async accept(
    id: Id,
    payload: Buffer | undefined,
    ttlMs: number | undefined,
    { lingerMs, maxWaiting }: Pick<WriterSettings, "lingerMs" | "maxWaiting">,
  ): Promise<AcceptResult> {
    const { key, slot, keys: log } = this.#place(id);
    const { ids, ends } = this.#cache.indexKeys(key);
    const keys: AcceptKeys = { ...log, ids, ends };
    this.#cache.changed(key);
    const { head, freshMs, keepMs } = this.#cache.entry(ttlMs);
    const wakeChannel = this.#core.wakeups.channel;
    const args: AcceptArgs = {
      id: String(id),
      removes: payload === undefined,
      freshMs,
      keepMs,
      lingerMs,
      maxWaiting,
      wakeChannel,
      head,
      payload: payload ?? "",
    };
    try {
      const result = await this.#cache.lane.add(this.#kinds.accept, slot, { keys, args, key: String(id) });
      if (result.status === "accepted") this.logs.hint(slot);
      return result;
    } finally {
      this.#cache.changed(key);
    }
  }

  /** The write of an entry that the database has yet to have. */
  async pending(id: Id): Promise<PendingWrite | undefined> {
    await this.known();
    const { pending } = this.#place(id).keys;
    const call = { op: "cache.get", class: "read", key: String(id), timeoutMs: this.#cache.timeoutMs } as const;
    const record = await this.#core.driver.send(["HGET", pending, String(id)], call, pending);
    return record === null ? undefined : pendingOf(String(id), record as Buffer);
  }

  async claim(slot: number, limit: number, claimMs: number, aheadMs: number): Promise<Claimed> {
    const keys = this.logs.keys(slot);
    const args = { limit, claimMs, aheadMs, maxBytes: MAX_CLAIM_BYTES };
    const found = await runScript(this.#core.driver, claim, keys, args, this.#call);
    const lost = [...found.lost];
    if (found.isUneven) lost.push(...(await this.#mend(slot)));
    if (found.isEmpty) await this.#forget(slot);
    const writes = found.ids.map((id, at) => ({ ...pendingOf(id, found.records[at]!), slot }));
    return { writes, lost };
  }

  /** Ends a claim. `stale`: it was somebody else's by now. */
  async settle(
    { id, claim: held, version, slot }: ClaimedWrite,
    outcome: "done" | "retry" | "release",
    delayMs = 0,
  ): Promise<"ok" | "newer" | "stale"> {
    const { pending, due, since } = this.logs.keys(slot);
    const args = { id, claim: held, version, outcome, delayMs: Math.round(delayMs), keepMs: KEEP_MS };
    const item = { keys: { pending, due, since }, args, key: id };
    return (await this.#cache.lane.add(this.#kinds.settle, slot, item)).status;
  }

  async bury({ id, claim: held, version, slot }: ClaimedWrite, reason: string): Promise<BuryResult["status"]> {
    const keys = { value: this.#cache.key(id), lease: this.#cache.leaseKey(id), ...this.logs.keys(slot) };
    const wakeChannel = this.#core.wakeups.channel;
    const args = { id, claim: held, version, reason: reason.slice(0, MAX_REASON), keepMs: KEEP_MS, wakeChannel };
    try {
      return (await runScript(this.#core.driver, bury, keys, args, { ...this.#call, key: id })).status;
    } finally {
      this.#cache.changed(keys.value);
    }
  }

  async redrive(id: Id): Promise<boolean> {
    const { key, slot, keys } = this.#place(id);
    const args = { id: String(id), wakeChannel: this.#core.wakeups.channel };
    try {
      const isDone = await runScript(this.#core.driver, redrive, keys, args, { ...this.#call, key: String(id) });
      if (isDone) this.logs.hint(slot);
      return isDone;
    } finally {
      this.#cache.changed(key);
    }
  }

  async discard(id: Id): Promise<boolean> {
    const { dead } = this.#place(id).keys;
    return (
      (await this.#core.driver.send(["HDEL", dead, String(id)], { ...this.#call, class: "idempotent" }, dead)) === 1
    );
  }

  /** The writes that were put aside. */
  async *buried(): AsyncGenerator<BuriedWrite> {
    await this.known();
    for (const slot of await this.logs.slots()) {
      const { dead } = this.logs.keys(slot);
      for await (const page of this.#pages("HSCAN", dead))
        for (let at = 0; at < page.length; at += 2) yield buriedOf(String(page[at]), page[at + 1]!);
    }
  }

  async lag(): Promise<{ readonly count: number; readonly oldestMs: number; readonly dead: number }> {
    await this.known();
    const ask = (chunk: readonly number[]) =>
      Promise.all(
        chunk.map((slot) => {
          const { since, dead } = this.logs.keys(slot);
          return runScript(this.#core.driver, lag, { since, dead }, {}, this.#call);
        }),
      );
    const all = await inChunks(await this.logs.slots(), ask);
    const sum = (of: (each: (typeof all)[number]) => number): number =>
      all.reduce((total, each) => total + of(each), 0);
    return {
      count: sum(({ count }) => count),
      oldestMs: Math.max(0, ...all.map(({ oldestMs }) => oldestMs)),
      dead: sum(({ dead }) => dead),
    };
  }

  /** One of the keys was evicted: what the others know is put back. */
  async #mend(slot: number): Promise<string[]> {
    const keys = this.logs.keys(slot);
    const lost: string[] = [];
    for (const [scan, key] of [
      ["HSCAN", keys.pending],
      ["ZSCAN", keys.since],
      ["ZSCAN", keys.due],
    ] as const) {
      for await (const page of this.#pages(scan, key)) {
        const ids = page.filter((_, at) => at % 2 === 0).map(String);
        const named = ids.filter((id) => id !== "");
        if (named.length > 0)
          lost.push(...(await runScript(this.#core.driver, mend, keys, { ids: named }, this.#call)));
      }
    }
    return lost;
  }

  async *#pages(scan: "HSCAN" | "ZSCAN", key: string): AsyncGenerator<readonly Buffer[]> {
    let cursor = "0";
    do {
      const call = { ...this.#call, class: "read" } as const;
      const reply = await this.#core.driver.send([scan, key, cursor, "COUNT", String(PAGE)], call, key);
      const [next, page] = reply as [Buffer, Buffer[]];
      cursor = String(next);
      yield page;
    } while (cursor !== "0");
  }

  /** What is accepted after the last look gives its own hint. */
  async #forget(slot: number): Promise<void> {
    await this.logs.unhint(slot);
    const { since, dead, due } = this.logs.keys(slot);
    const call = { ...this.#call, class: "read" } as const;
    if ((await this.#core.driver.send(["EXISTS", since, dead, due], call, since)) !== 0) this.logs.hint(slot);
  }

  #place(id: Id): { readonly key: string; readonly slot: number; readonly keys: RedriveKeys } {
    const key = this.#cache.key(id);
    const slot = this.#core.driver.slotOf(key);
    return { key, slot, keys: { value: key, lease: this.#cache.leaseKey(id), ...this.logs.keys(slot) } };
  }

  get #call() {
    return { op: "cache.writer", timeoutMs: this.#cache.timeoutMs };
  }
}

/** Kinds are known from each other by their identity: one each for all calls. */
function kindsOf({ driver }: Core, { timeoutMs }: WriterCache) {
  const kind = <Keys, Args, Result>(
    op: string,
    script: BatchScript<Keys, Args, Result>,
  ): BatchKind<BatchItem<Keys, Args>, Result> => scriptKind(driver, script, { op, timeoutMs }, orThrow);
  return {
    accept: { ...kind("cache.write", accept), weigh },
    settle: kind<SettleKeys, SettleArgs, { readonly status: "ok" | "newer" | "stale" }>("cache.writer", settle),
  };
}

function weigh({ args }: BatchItem<AcceptKeys, AcceptArgs>): number {
  return args.payload.length > MAX_MERGED_BYTES ? MAX_BATCH_ITEMS : 1;
}
