/** All that the demo keeps on the server: each thing by the primitive made for it, opened the same way by every process. */
import type { Cache, Counter, Geo, Holdfast, Leaderboard, Records, Tags, Topic } from "holdfast";
import type { AirportProfile, RouteProfile } from "../api/archive.ts";
import type { Flight } from "../data/flights.ts";
import type { AirportTotals } from "./derive.ts";
import type { CacheReads } from "./reads.ts";

/** One airport as the worker keeps it. */
export interface AirportRecord extends AirportTotals {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  /** Flights before this index are in the numbers; the high-water mark that makes a repeated batch harmless. */
  readonly upTo: number;
}

/** A message of the topic of live flights. */
export interface FlightNews {
  readonly flight: Flight;
  /** Who sent it, and the fence it held. */
  readonly by: string;
  readonly fence: number;
}

/** A running process, as it announces itself. */
export interface Presence {
  readonly pid: number;
  readonly role: "ingest" | "worker" | "api";
  /** Milliseconds since 1970, by the process's own clock; shown, never compared. */
  readonly since: number;
  /** What its caches have answered since it began, and from where. */
  readonly reads: CacheReads;
}

/** What a signed-in visitor may change while the replay runs. */
export interface Control {
  /** Simulated minutes per second; 0 pauses. */
  readonly speed: number;
  readonly by: string;
}

/** A process that held a lock was killed by a visitor, and what came of it. */
export interface Takeover {
  readonly killed: string;
  readonly lock: "leader" | "worker";
  /** Of the killed process; its successor's is higher. */
  readonly fence: number;
  /** Flights sent when it was killed. */
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly successor?: { readonly name: string; readonly afterMs: number };
  /** Flights in the log, and how many of them are missing in the derived numbers, or in them more than once. */
  readonly count?: { readonly flights: number; readonly lost: number; readonly twice: number };
}

/** What the last job of the schedule found, and who ran it. */
export interface Summary {
  readonly flights: number;
  /** Of all flights, 0 to 1. */
  readonly late: number;
  readonly busiest: string | undefined;
  readonly by: string;
  /** The tick that it was made for, milliseconds since 1970 by the server's clock. */
  readonly scheduledFor: number;
}

/** Each in the memory of every process that reads it, and on the server. */
export interface Caches {
  readonly profiles: Cache<AirportProfile>;
  readonly routes: Cache<RouteProfile>;
  /** Codes of airports by what was asked, tagged with all that the answer depends on: `state:CA`, `hub`, `to:ATL`. */
  readonly searches: Cache<readonly string[]>;
  /** Read by the leader twice a second, changed by a visitor now and then. */
  readonly control: Cache<Control>;
}

export interface State {
  readonly caches: Caches;
  readonly boards: { readonly busiest: Leaderboard; readonly delayed: Leaderboard; readonly connected: Leaderboard };
  /** Ids: `flights`, `miles`, `late`, `lateMinutes`. */
  readonly totals: Counter;
  /** Flights by day. */
  readonly days: Counter;
  readonly airports: Records<AirportRecord>;
  /** Airports by what they are: `state:CA`, `hub`, `long-haul`, `very-late`. */
  readonly tags: Tags;
  /** Routes, `ATL-LAX`, by their ends: `from:ATL`, `to:LAX`. */
  readonly routes: Tags;
  readonly places: Geo;
  readonly news: Topic<FlightNews>;
  readonly presence: Cache<Presence>;
  /** How often an airport was looked at. */
  readonly looks: Counter;
  readonly takeovers: Records<Takeover>;
  readonly summaries: Records<Summary>;
}

export const PROCESSES = ["ingest-1", "ingest-2", "worker-1", "worker-2", "api"] as const;
/** A batch that was cut short is applied again as soon as a worker is there. */
const REPEATED_WITHIN = "1h";

export const LEADER_LOCK = "ingest-leader";
export const WORKER_LOCK = "worker";
export const CONTROL_ID = "replay";

/** Past its ttl an answer is served at once, while one process of the fleet loads the next. */
const SERVED_ON = { l1: true, ttl: "1m", grace: "1h", softTimeout: 0 } as const;

export function openState(hf: Holdfast): State {
  return {
    caches: {
      profiles: hf.cache<AirportProfile>("airport-profiles", { ...SERVED_ON, negativeTtl: "30s" }),
      routes: hf.cache<RouteProfile>("route-profiles", { ...SERVED_ON, negativeTtl: "30s" }),
      searches: hf.cache<readonly string[]>("searches", { l1: true, ttl: "10m" }),
      control: hf.cache<Control>("control", { l1: true, ttl: "none", negativeTtl: "1h" }),
    },
    boards: {
      busiest: hf.leaderboard("busiest"),
      delayed: hf.leaderboard("delayed"),
      connected: hf.leaderboard("connected"),
    },
    totals: hf.counter("totals", { idempotencyTtl: REPEATED_WITHIN }),
    days: hf.counter("days", { idempotencyTtl: REPEATED_WITHIN }),
    airports: hf.records<AirportRecord>("airports"),
    tags: hf.tags("airports"),
    routes: hf.tags("routes"),
    places: hf.geo("airports"),
    news: hf.topic<FlightNews>("flights", { keep: "1h", dedupeFor: REPEATED_WITHIN }),
    presence: hf.cache<Presence>("processes", { ttl: "3s", jitter: 0 }),
    looks: hf.counter("looks"),
    takeovers: hf.records<Takeover>("takeovers"),
    summaries: hf.records<Summary>("summaries"),
  };
}

/** What a visitor has ordered; undefined while nobody has, which is remembered too. */
export function readControl({ caches }: State): Promise<Control | undefined> {
  return caches.control.getOrSet(CONTROL_ID, () => undefined);
}
