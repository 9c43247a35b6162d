/** What open pages receive: once a second the state of everything, and each flight (`flights.ts`). */
import { type Holdfast, InvalidArgumentError, type LeaderboardEntry } from "holdfast";
import { Summaries } from "../state/summary.ts";
import { type JobsView, viewJobs } from "./jobs.ts";
import { type Cursor, FlightLog } from "../ingest/flight-log.ts";
import { holderOf, keepRunning, pause, type Service } from "../service.ts";
import type { GrandTotals } from "../state/derive.ts";
import { LEADER_LOCK, type Presence, PROCESSES, readControl, type Takeover, WORKER_LOCK } from "../state/state.ts";
import { sendFlights } from "./flights.ts";
import type { Hub, Send } from "./hub.ts";
import { addReads, type CacheReads } from "../state/reads.ts";

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
  /** Over all processes, and the airports whose looks the file has yet to have. */
  readonly cache: CacheReads & { readonly unwritten: number };
  /** Of the airports on the boards, by the archive: 0 to 1. */
  readonly onTime: Readonly<Record<string, number>>;
  readonly jobs: JobsView;
  /** What came of the last kill of a process that held a lock. */
  readonly takeover: Takeover | undefined;
  /** Pages connected to this process. */
  readonly pages: number;
}

/** What the API knows besides the state. */
export interface Sources {
  onTime(codes: readonly string[]): Promise<ReadonlyMap<string, number>>;
  unwritten(): Promise<number>;
  takeover(): Takeover | undefined;
}

const SNAPSHOT_MS = 1_000;
const TOP = 8;
const ALL_AIRPORTS = 500;

export class Live {
  readonly #service: Service;
  readonly #log: FlightLog;
  readonly #summaries: Summaries;
  readonly #hub: Hub;
  readonly #sources: Sources;
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

  /** What one page alone is sent, until it is gone: its flights, also through outages, and the snapshot there is. */
  async serve(lastEventId: string, send: Send, gone: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([gone, this.#service.signal]);
    const sendLatest = async (): Promise<void> => {
      if (this.#latest !== undefined) await send("snapshot", this.#latest);
    };
    let seen = lastEventId;
    const noting: Send = async (event, data, id) => {
      await send(event, data, id);
      seen = id ?? seen;
      if (event === "recent") await sendLatest();
    };
    if (seen !== "") await sendLatest();
    await keepRunning({ ...this.#service, signal }, async () => {
      try {
        await sendFlights(this.#service.state, seen, noting, signal);
      } catch (error) {
        // No position, from whomever it is.
        if (!(error instanceof InvalidArgumentError)) throw error;
        seen = "";
      }
    });
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
    const [cursor, applied, top, late, hubs, traffic, totals, leader, worker, control, presence, unwritten] =
      await Promise.all([
        this.#log.cursor(),
        this.#log.applied(),
        busiest.top(TOP),
        delayed.top(TOP),
        connected.top(TOP),
        busiest.page({ limit: ALL_AIRPORTS }),
        state.totals.getMany(ids),
        lockView(hf, LEADER_LOCK),
        lockView(hf, WORKER_LOCK),
        readControl(state),
        state.presence.getMany(PROCESSES),
        this.#sources.unwritten(),
      ]);
    const shown = new Set([top, late, hubs].flat().map(({ member }) => member));
    const [jobs, onTime] = await Promise.all([
      viewJobs(this.#log, this.#summaries, presence),
      this.#sources.onTime([...shown]),
    ]);
    const speed = control?.speed ?? options.speed;
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
      cache: { ...addReads([...presence.values()].map(({ reads }) => reads)), unwritten },
      onTime: Object.fromEntries(onTime),
      jobs,
      takeover: this.#sources.takeover(),
      pages: this.#hub.pages,
    };
  }
}

/** Who holds a lock; undefined while nobody does. */
export async function lockView(hf: Holdfast, name: string): Promise<LockView | undefined> {
  const info = await hf.lock(name).info();
  return info === undefined ? undefined : { holder: holderOf(info.owner), fence: info.fence, ttlMs: info.ttlMs };
}
