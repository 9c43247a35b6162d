/** What the API sends, as far as the page reads it. */
export interface Flight {
  readonly index: number;
  readonly at: number;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export interface News {
  readonly flight: Flight;
  readonly by: string;
  readonly fence: number;
}

export interface Entry {
  readonly member: string;
  readonly score: number;
  readonly rank: number;
}

export interface LockView {
  readonly holder: string;
  readonly fence: number;
  readonly ttlMs: number;
}

export interface ProcessView {
  readonly name: string;
  readonly presence?: { readonly pid: number; readonly role: string; readonly since: number };
}

export interface Snapshot {
  readonly cursor: {
    readonly position: number;
    readonly fence: number;
    readonly term: number;
    readonly by: string;
    readonly at: number;
  };
  readonly applied: number;
  readonly flights: number;
  readonly speed: number | null;
  readonly boards: Readonly<Record<BoardName, readonly Entry[]>>;
  readonly traffic: readonly (readonly [code: string, flights: number])[];
  readonly totals: {
    readonly flights: number;
    readonly miles: number;
    readonly late: number;
    readonly lateMinutes: number;
  };
  readonly locks: { readonly leader?: LockView; readonly worker?: LockView };
  readonly processes: readonly ProcessView[];
  readonly cache: {
    readonly memory: number;
    readonly server: number;
    readonly stale: number;
    readonly misses: number;
    readonly loads: number;
    readonly joined: number;
    readonly unwritten: number;
  };
  readonly onTime: Readonly<Record<string, number>>;
  readonly jobs: Jobs;
  readonly takeover?: Takeover;
  readonly pages: number;
}

export interface Jobs {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
  readonly recovered: number;
  readonly dead: number;
  readonly waitMs: number;
  readonly runMs: number;
  readonly workers: readonly { readonly name: string; readonly batches: readonly string[] }[];
  readonly schedule?: Schedule;
}

export interface Schedule {
  readonly nextInMs: readonly number[];
  readonly runs: number;
  readonly missed: number;
  readonly last?: {
    readonly flights: number;
    readonly late: number;
    readonly busiest?: string;
    readonly by: string;
    readonly agoMs: number;
  };
}

/** What came of the last kill of a process that held a lock; each part appears once it is measured. */
export interface Takeover {
  readonly killed: string;
  readonly lock: "leader" | "worker";
  readonly at: number;
  readonly successor?: { readonly name: string; readonly afterMs: number };
  readonly count?: { readonly flights: number; readonly lost: number; readonly twice: number };
}

export type BoardName = "busiest" | "delayed" | "connected";

export interface MapPoint {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly x?: number;
  readonly y?: number;
}

export interface MapData {
  readonly width: number;
  readonly height: number;
  readonly nation: string;
  readonly borders: string;
  readonly airports: readonly MapPoint[];
}

export interface Profile {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly departures: number;
  readonly arrivals: number;
  readonly onTime: number;
  readonly routes: readonly { readonly code: string; readonly flights: number }[];
  readonly hours: readonly number[];
}

export interface LiveAirport {
  readonly record: {
    readonly departures: number;
    readonly arrivals: number;
    readonly served: readonly string[];
    readonly lateMinutes: number;
  };
  readonly tags: readonly string[];
  readonly around: readonly Entry[];
}

export interface NearPlace {
  readonly member: string;
  readonly meters: number;
}

export interface Account {
  readonly user: string | null;
  readonly users?: readonly string[];
  readonly watching?: readonly string[];
  readonly active?: number;
}
