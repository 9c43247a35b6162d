/**
 * The windows of a board: which periods a write is for, chosen by the server's clock among those that this process computes, and where each
 * period is kept.
 */
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Core } from "../../core/core.ts";
import type { GroupKeys } from "../../core/keyspace/keyspace.ts";
import type { LeaderboardSettings } from "../options.ts";
import type { BoardKeys, BoardWindows, Periods } from "../board.ts";
import { BoardStore } from "../store.ts";
import { SLACK_MS, type WindowSettings, type WindowsSettings } from "./options.ts";
import type { Period } from "./periods.ts";

/** For whoever is to close a period. */
const LEAST_KEPT_MS = 3_600_000;
/** Where two periods are sent, as one of them begins or ends. */
const NEAR_MS = 1_000;
/** Periods whose reads are merged. */
const MOST_STORES = 32;

interface Plan extends Periods {
  readonly since: number;
  readonly until: number;
}

export class BoardsOfPeriods<Meta> implements BoardWindows {
  readonly settings: WindowsSettings;
  readonly keys: GroupKeys;
  readonly #core: Core;
  readonly #clock: ServerClock;
  readonly #name: string;
  readonly #board: LeaderboardSettings<Meta>;
  readonly #stores = new Map<string, BoardStore<Meta>>();
  #plan: Plan | undefined;
  /** Called when a period was begun. */
  onOpened: () => void = () => undefined;

  constructor(core: Core, name: string, board: LeaderboardSettings<Meta>, settings: WindowsSettings) {
    this.#core = core;
    this.#clock = ServerClock.of(core.driver);
    this.#name = name;
    this.#board = board;
    this.keys = core.keys.group("leaderboard", name);
    this.settings = settings;
  }

  /** Until the server's time is known; calls wait for it in their order. */
  ready(): Promise<unknown> | undefined {
    return this.#clock.now() === undefined ? this.now() : undefined;
  }

  /** The server's time. @throws UnavailableError */
  now(): Promise<number> {
    const where = `leaderboard ${JSON.stringify(this.#name)}`;
    return this.#clock.required(where, { op: "leaderboard.window", key: this.#name });
  }

  periods(stale?: number): Periods {
    const now = Math.floor(stale ?? this.#clock.now() ?? 0);
    const plan = this.#plan;
    if (stale === undefined && plan !== undefined && now >= plan.since && now < plan.until) return plan;
    return (this.#plan = this.#planned(now));
  }

  opened(): void {
    this.onOpened();
  }

  keysOf({ name }: WindowSettings, { from }: Period): BoardKeys {
    const board = this.keys.part(`window:${name}:${from}`);
    return { board, distinct: `${board}:distinct`, meta: this.keys.part("meta") };
  }

  /** Periods that are over and still kept, the oldest first: `keep` of them, more where those are short. */
  pastOf(window: WindowSettings, now: number): Period[] {
    const past: Period[] = [];
    for (let ago = 1; ; ago += 1) {
      const period = window.period(now, ago);
      const isGone = period === undefined || this.#expiresAt(window, period) <= now;
      if (period === undefined || (isGone && ago > window.keep)) return past.toReversed();
      if (!isGone) past.push(period);
    }
  }

  /** What asks about one period. */
  storeOf(window: WindowSettings, period: Period): BoardStore<Meta> {
    const keys = this.keysOf(window, period);
    let store = this.#stores.get(keys.board);
    if (store === undefined) {
      if (this.#stores.size === MOST_STORES) this.#stores.clear();
      store = new BoardStore(this.#core.driver, keys, this.#name, this.#board);
      this.#stores.set(keys.board, store);
    }
    return store;
  }

  /** What is right at `now`, and as long before and after it as no period begins or ends: mostly one period for each window. */
  #planned(now: number): Plan {
    let [first, last] = [0, Number.MAX_SAFE_INTEGER];
    let until = Number.MAX_SAFE_INTEGER;
    const periods: string[] = [];
    let parts = "";
    for (const window of this.settings.windows) {
      const near = [now - SLACK_MS, now, now + SLACK_MS].map((at) => window.period(Math.max(at, 0), 0));
      const [earliest, present, latest] = near;
      first = Math.max(first, earliest?.from ?? now - SLACK_MS);
      last = Math.min(last, latest?.to ?? now + SLACK_MS);
      const isNear = earliest?.from !== present?.from || latest?.from !== present?.from || present === undefined;
      if (isNear) until = Math.min(until, now + NEAR_MS);
      const seen = new Set<number>();
      for (const period of near) {
        if (period === undefined || seen.has(period.from)) continue;
        seen.add(period.from);
        const { board, distinct } = this.keysOf(window, period);
        periods.push(board, distinct);
        parts += `${period.from} ${period.to} ${this.#expiresAt(window, period)};`;
      }
    }
    return {
      windows: `${Math.max(first, 0)} ${last};${parts}`,
      periods,
      since: now,
      until: Math.min(until, last - SLACK_MS),
    };
  }

  #expiresAt({ keep, period }: WindowSettings, { from, to }: Period): number {
    return Math.max(to + keep * (to - from), to + LEAST_KEPT_MS, this.#lastRead(period, keep, from));
  }

  /** The end of the last of the periods in which it is one of the `keep` before: they may be longer than it. */
  #lastRead(period: WindowSettings["period"], keep: number, from: number): number {
    for (let later = keep; later > 0; later -= 1) {
      const found = period(from, -later);
      if (found !== undefined) return found.to;
    }
    return 0;
  }
}
