/** Closing: the best of a period that is over are kept, once, by whoever uses the board next, and somebody is told. */
import { isOutage } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import { Reports } from "../../core/observe/reports.ts";
import { decodeFloat, decodeInt, decodeOptional, decodeRows, decodeText } from "../../core/script/decode.ts";
import { decodedBy, runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { Reply } from "../../driver/port.ts";
import type { LeaderboardEntry, Row } from "../entries.ts";
import type { LeaderboardSettings } from "../options.ts";
import { entriesOf } from "../reads.ts";
import { decodeBytes } from "../store.ts";
import { claimClosing, close, holdClosing } from "../scripts.gen.ts";
import type { WindowSettings } from "./options.ts";
import type { Period } from "./periods.ts";
import type { BoardsOfPeriods } from "./windows.ts";

/** A period that is over, with the best of it. */
export interface LeaderboardClosing<Meta = unknown> {
  /** No other closing under the handle's prefix has it: what is done for one takes it as its idempotency key. */
  readonly id: string;
  readonly window: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** The first moment that did not belong to it. */
  readonly to: number;
  /** Members that were on the board. */
  readonly total: number;
  /** The best of them, at most `archive.top`. */
  readonly entries: LeaderboardEntry<Meta>[];
}

/** One that somebody is being told of. */
export interface Claimed<Meta> {
  /** As the server has it. */
  readonly member: string;
  readonly closing: LeaderboardClosing<Meta>;
}

interface Known {
  readonly window: string;
  readonly period: Period;
}

const MOST_REMEMBERED = 1_000;

export class Closings<Meta> {
  readonly windows: BoardsOfPeriods<Meta>;
  readonly #core: Core;
  readonly #name: string;
  readonly #settings: LeaderboardSettings<Meta>;
  readonly #reports: Reports<never, never>;
  /** Archives that are known to be there, or not to be needed. */
  readonly #done = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(core: Core, name: string, settings: LeaderboardSettings<Meta>, windows: BoardsOfPeriods<Meta>) {
    this.#core = core;
    this.#name = name;
    this.#settings = settings;
    this.windows = windows;
    this.#reports = new Reports(`leaderboard ${JSON.stringify(name)}: closing`, "HOLDFAST_LEADERBOARD", {
      onError: undefined,
    });
    windows.onOpened = () => void this.#closeQuietly();
  }

  /** Closes the periods that are over. */
  async closePast(): Promise<void> {
    const now = await this.windows.now();
    for (const window of this.windows.settings.windows)
      for (const period of this.windows.pastOf(window, now)) await this.close(window, period);
  }

  /** When the next period of any window is over, by the server's clock. */
  async nextEnd(): Promise<number> {
    const now = await this.windows.now();
    const ends = this.windows.settings.windows.map(({ period }) => period(now, 0)?.to ?? Infinity);
    return Math.min(...ends) - now;
  }

  /** False where it is not over yet. */
  async close(window: WindowSettings, period: Period): Promise<boolean> {
    const { archive, counted, closed, due } = this.#keysOf(window.name, period);
    if (this.#done.has(archive)) return true;
    const { archiveTop, archiveKeepMs } = this.windows.settings;
    const { board } = this.windows.keysOf(window, period);
    const id = idOf({ window: window.name, period });
    const args = { id, to: period.to, desc: this.#settings.desc, top: archiveTop, keepMs: archiveKeepMs };
    const keys = { board, archive, counted, closed, due };
    const { status } = await runScript(this.#core.driver, close, keys, args, this.#call("close"));
    if (status === "early") return false;
    if (this.#done.size === MOST_REMEMBERED) this.#done.clear();
    this.#done.add(archive);
    return true;
  }

  /** Of a period that is over; undefined where nothing was kept of it. */
  async archive(window: WindowSettings, period: Period): Promise<LeaderboardClosing<Meta> | undefined> {
    const found = await this.#read({ window: window.name, period });
    if (found !== undefined) return found;
    // It may have been evicted.
    this.#done.delete(this.#keysOf(window.name, period).archive);
    return (await this.close(window, period)) ? this.#read({ window: window.name, period }) : undefined;
  }

  /** The next of which somebody is to be told; nobody else is for so long. */
  async claim(leaseMs: number): Promise<Claimed<Meta> | undefined> {
    for (;;) {
      const [member] = await runScript(
        this.#core.driver,
        claimClosing,
        { due: this.#due },
        { leaseMs },
        this.#call("closed"),
      );
      if (member === undefined) return undefined;
      const known = knownOf(member);
      const closing = known === undefined ? undefined : await this.#read(known);
      if (closing !== undefined) return { member, closing };
      // What was kept of it was evicted, or has expired.
      await this.told(member);
    }
  }

  async told(member: string): Promise<void> {
    const call = { ...this.#call("closed"), class: "idempotent" } as const;
    await this.#core.driver.send(["ZREM", this.#due, member], call, this.#due);
  }

  /** Somebody is to be told again after so long, unless it is done by then. */
  hold(member: string, leaseMs: number): Promise<boolean> {
    const args = { id: member, leaseMs };
    return runScript(this.#core.driver, holdClosing, { due: this.#due }, args, this.#call("closed"));
  }

  get #due(): string {
    return this.windows.keys.part("due");
  }

  async #read(known: Known): Promise<LeaderboardClosing<Meta> | undefined> {
    const { archive, counted } = this.#keysOf(known.window, known.period);
    const { driver } = this.#core;
    const call = { ...this.#call("archive"), class: "read" } as const;
    const best = ["ZRANGE", archive, "0", "-1", ...(this.#settings.desc ? ["REV"] : []), "WITHSCORES"];
    const [found, count] = await Promise.all([
      driver.send(best, call, archive),
      driver.send(["GET", counted], call, counted),
    ]);
    const rows = decodedBy(decodeScored, found, "ZRANGE", call);
    if (rows.length === 0) return undefined;
    const total = decodedBy((reply) => decodeOptional(reply, decodeInt), count, "GET", call) ?? rows.length;
    const metas = await this.#metas(rows.map(({ member }) => member));
    const entries = entriesOf(this.#settings, { total, position: 1, rank: 1, rows, metas });
    return { id: `${this.#name}:${idOf(known)}`, window: known.window, ...known.period, total, entries };
  }

  async #metas(members: readonly string[]): Promise<(Buffer | null)[]> {
    if (this.#settings.metas === undefined) return [];
    const key = this.windows.keys.part("meta");
    const call = { ...this.#call("archive"), class: "read" } as const;
    return decodedBy(decodeBytes, await this.#core.driver.send(["HMGET", key, ...members], call, key), "HMGET", call);
  }

  #keysOf(window: string, { from }: Period): { archive: string; counted: string; closed: string; due: string } {
    const { keys } = this.windows;
    const archive = keys.part(`archive:${window}:${from}`);
    return { archive, counted: `${archive}:total`, closed: keys.part("closed"), due: this.#due };
  }

  async #closeQuietly(): Promise<void> {
    if (this.#core.isClosing || this.#closing !== undefined) return;
    try {
      await (this.#closing = this.closePast());
    } catch (error) {
      // An outage: whoever begins the next period, or waits for closings, does it.
      if (!isOutage(error) && !this.#core.isClosing) this.#reports.error(error);
    } finally {
      this.#closing = undefined;
    }
  }

  #call(operation: string): UnclassedCall {
    return { op: `leaderboard.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}

function idOf({ window, period }: Known): string {
  return `${window}:${period.from}:${period.to}`;
}

function knownOf(id: string): Known | undefined {
  const [window, from, to, ...rest] = id.split(":");
  if (window === undefined || to === undefined || rest.length > 0) return undefined;
  return { window, period: { from: Number(from), to: Number(to) } };
}

function decodeScored(reply: Reply): Row[] {
  // RESP3 has pairs where RESP2 has a flat list.
  const flat = Array.isArray(reply) ? reply.flat() : reply;
  return decodeRows(flat, 2, (row, at) => ({
    member: decodeText(row[at]),
    score: decodeFloat(row[at + 1]),
  }));
}
