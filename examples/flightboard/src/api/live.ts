/** What open pages receive: each flight as it is sent, and once a second the state of everything. */
import type { CacheStats, LeaderboardEntry, Holdfast } from "holdfast";
import { type Flight, readFlights } from "../data/flights.ts";
import { Summaries } from "../state/summary.ts";
import { type JobsView, viewJobs } from "./jobs.ts";
import { type Cursor, FlightLog } from "../ingest/flight-log.ts";
import { holderOf, pause, type Service } from "../service.ts";
import type { GrandTotals } from "../state/derive.ts";
import {
  CONTROL_ID,
  type FlightNews,
  LEADER_LOCK,
  type Presence,
  PROCESSES,
  type Takeover,
  WORKER_LOCK,
} from "../state/state.ts";
import type { Frame, Hub } from "./hub.ts";

export interface LockView {
  /** Name of the process that holds it. */
  readonly holder: string;
  readonly fence: number;
  readonly ttlMs: number;
}

export interface Snapshot {
  readonly cursor: Cursor;
  readonly applied: number;
  readonly flights: number;
  /** Simulated minutes per second; `null` for as fast as possible. */
  readonly speed: number | null;
  readonly boards: Readonly<Record<"busiest" | "delayed" | "connected", readonly LeaderboardEntry[]>>;
  /** Flights by airport, all of them: the sizes on the map. */
  readonly traffic: readonly (readonly [code: string, flights: number])[];
  readonly totals: GrandTotals;
  readonly locks: { readonly leader: LockView | undefined; readonly worker: LockView | undefined };
  readonly processes: readonly { readonly name: string; readonly presence: Presence | undefined }[];
  readonly cache: CacheStats;
  readonly jobs: JobsView;
  /** What came of the last kill of a process that held a lock. */
  readonly takeover: Takeover | undefined;
  /** Pages connected to this process. */
  readonly pages: number;
}

/** What the API knows besides the state. */
export interface Sources {
  cache(): CacheStats;
  takeover(): Takeover | undefined;
}

const SNAPSHOT_MS = 1_000;
const FLIGHTS_MS = 200;
/** Flights shown in one frame; the map cannot show more anyway. */
const FLIGHTS_PER_FRAME = 40;
/** As many as the page has rows for. */
const RECENT = 40;
const TOP = 8;
const ALL_AIRPORTS = 500;

export class Live {
  readonly #service: Service;
  readonly #log: FlightLog;
  readonly #summaries: Summaries;
  readonly #hub: Hub;
  readonly #sources: Sources;
  /** The last flights sent, oldest first: what a page that has just been opened shows. */
  #recent: readonly Flight[] = [];
  #latest: Snapshot | undefined;

  constructor(service: Service, hub: Hub, sources: Sources) {
    this.#service = service;
    this.#log = new FlightLog(service.hf);
    this.#summaries = new Summaries(service.hf, service.state);
    this.#hub = hub;
    this.#sources = sources;
  }

  /** Newest snapshot, if any was made. */
  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** First for a page that has just been opened. */
  greeting(): Frame[] {
    const frames: Frame[] = this.#recent.length === 0 ? [] : [["recent", this.#recent]];
    return this.#latest === undefined ? frames : [...frames, ["snapshot", this.#latest]];
  }

  /** Once a second, until the service stops. An outage is reported to the pages as such. */
  async sendSnapshots(): Promise<void> {
    const { signal } = this.#service;
    while (!signal.aborted) {
      try {
        this.#latest = await this.#take();
        this.#hub.broadcast("snapshot", this.#latest);
      } catch {
        this.#hub.broadcast("outage", {});
      }
      await pause(SNAPSHOT_MS, signal);
    }
  }

  async #take(): Promise<Snapshot> {
    const { hf, state, options } = this.#service;
    const { busiest, delayed, connected } = state.boards;
    const ids = ["flights", "miles", "late", "lateMinutes"] as const;
    const [cursor, applied, top, late, hubs, traffic, totals, leader, worker, control, presence] = await Promise.all([
      this.#log.cursor(),
      this.#log.applied(),
      busiest.top(TOP),
      delayed.top(TOP),
      connected.top(TOP),
      busiest.page({ limit: ALL_AIRPORTS }),
      state.totals.getMany(ids),
      lockView(hf, LEADER_LOCK),
      lockView(hf, WORKER_LOCK),
      state.control.get(CONTROL_ID),
      state.presence.getMany(PROCESSES),
    ]);
    const jobs = await viewJobs(this.#log, this.#summaries, presence);
    const speed = control?.value.speed ?? options.speed;
    const total = (id: (typeof ids)[number]): number => totals.get(id) ?? 0;
    return {
      cursor,
      applied,
      flights: options.flights,
      speed: Number.isFinite(speed) ? speed : null,
      boards: { busiest: top, delayed: late, connected: hubs },
      traffic: traffic.entries.map((entry) => [entry.member, entry.score] as const),
      totals: {
        flights: total("flights"),
        miles: total("miles"),
        late: total("late"),
        lateMinutes: total("lateMinutes"),
      },
      locks: { leader, worker },
      processes: PROCESSES.map((name) => ({ name, presence: presence.get(name) })),
      cache: this.#sources.cache(),
      jobs,
      takeover: this.#sources.takeover(),
      pages: this.#hub.pages,
    };
  }

  /** Each flight soon after it is published, until the service stops; more than a page can show are left out. */
  async sendFlights(): Promise<void> {
    const { state, signal } = this.#service;
    let frame: FlightNews[] = [];
    const take = (news: FlightNews): void => {
      this.#recent = [...this.#recent.slice(1 - RECENT), news.flight];
      if (frame.length < FLIGHTS_PER_FRAME) frame.push(news);
    };
    const subscription = await state.news.subscribe(take, { onGap: () => this.#hub.broadcast("gap", {}) });
    await this.#recallFlights();
    while (!signal.aborted) {
      await pause(FLIGHTS_MS, signal);
      if (frame.length > 0) this.#hub.broadcast("flights", frame);
      frame = [];
    }
    await subscription.close();
  }

  /** The channel keeps nothing, so what was sent before this process began comes from the data. */
  async #recallFlights(): Promise<void> {
    const { position } = await this.#log.cursor();
    const before: Flight[] = [];
    const from = Math.max(0, position - RECENT);
    for await (const flight of readFlights(this.#service.options.flights, from, position)) before.push(flight);
    const known = this.#recent[0]?.index ?? position;
    this.#recent = [...before.filter(({ index }) => index < known), ...this.#recent].slice(-RECENT);
  }
}

/** Who holds a lock; undefined while nobody does. */
export async function lockView(hf: Holdfast, name: string): Promise<LockView | undefined> {
  const info = await hf.lock(name).info();
  return info === undefined ? undefined : { holder: holderOf(info.owner), fence: info.fence, ttlMs: info.ttlMs };
}
