/**
 * Kills processes with SIGKILL while flights are replayed: each kind once, in a random order, at random points of the
 * replay. Leader and worker are also frozen once, for longer than their locks last, so that they wake up deposed with
 * writes on their lips. An own server is struck too: killed where it is a process, else restarted behind cut connections;
 * either way its data must be there again. The same seed makes the same plan.
 */
import type { Holdfast } from "holdfast";
import { FlightLog } from "../ingest/flight-log.ts";
import type { ServerKind } from "../options.ts";
import { holderOf, pause } from "../service.ts";
import { LEADER_LOCK, WORKER_LOCK } from "../state/state.ts";
import type { Fleet } from "./fleet.ts";

export interface Blow {
  readonly how: "kill" | "freeze" | "restart";
  /** `leader` and `worker` are whichever process holds the lock at that moment. */
  readonly target: "leader" | "worker" | "api" | "server";
  /** Not before the worker has come to this flight. */
  readonly at: number;
}

/** Blows fall into the middle of the replay, where everything is under way. */
const FIRST = 0.05;
const LAST = 0.9;
const POLL_MS = 5;
/** Longer than the locks of leader and worker last. */
const FREEZE_MS = 3_000;
/** Of a process that holds no lock. */
const NO_FENCE = 0;

const KILLS = ["leader", "worker", "api"] as const;
const FREEZES = ["leader", "worker"] as const;
const TO_SERVER = { redis: "kill", embedded: "restart" } as const;

/** `server`: undefined where it is somebody else's, which is left alone. */
export function planBlows(flights: number, seed: number, server: ServerKind | undefined): Blow[] {
  const random = mulberry32(seed);
  const blows = [
    ...KILLS.map((target) => ({ how: "kill", target }) as const),
    ...(server === undefined ? [] : [{ how: TO_SERVER[server], target: "server" } as const]),
    ...FREEZES.map((target) => ({ how: "freeze", target }) as const),
  ];
  const shuffled = blows.map((blow) => ({ blow, key: random() })).sort((a, b) => a.key - b.key);
  const points = blows.map(() => Math.floor(flights * (FIRST + random() * (LAST - FIRST)))).sort((a, b) => a - b);
  return shuffled.map(({ blow }, index) => ({ ...blow, at: points[index] ?? 0 }));
}

/** Resolves with what was done, in words, when the plan is carried out. */
export async function unleash(
  plan: readonly Blow[],
  fleet: Fleet,
  hf: Holdfast,
  signal: AbortSignal,
): Promise<string[]> {
  const chaos = new Chaos(fleet, hf);
  const done: string[] = [];
  for (const blow of plan) {
    let name = await chaos.strike(blow);
    while (name === undefined && !signal.aborted) {
      await pause(POLL_MS, signal);
      name = await chaos.strike(blow);
    }
    if (name !== undefined) done.push(`${blow.how} ${name}`);
  }
  return done;
}

class Chaos {
  readonly #fleet: Fleet;
  readonly #hf: Holdfast;
  readonly #log: FlightLog;
  /** Fences of holders that were hit. Their locks outlive them, and the next blow is for a living successor. */
  readonly #hit = new Set<number>();

  constructor(fleet: Fleet, hf: Holdfast) {
    this.#fleet = fleet;
    this.#hf = hf;
    this.#log = new FlightLog(hf);
  }

  /** Name of what was hit; undefined while it is too early or the target is not running. */
  async strike({ how, target, at }: Blow): Promise<string | undefined> {
    const victim = await this.#victim(target, at).catch(() => undefined);
    if (victim === undefined || this.#hit.has(victim.fence)) return undefined;
    if (!this.#hits(how, victim.name)) return undefined;
    if (victim.fence !== NO_FENCE) this.#hit.add(victim.fence);
    return victim.name;
  }

  #hits(how: Blow["how"], name: string): boolean {
    const { server } = this.#fleet;
    if (name === "server") return server?.strike() ?? false;
    const process = this.#fleet.find(name);
    return (how === "freeze" ? process?.freeze(FREEZE_MS) : process?.kill()) ?? false;
  }

  async #victim(target: Blow["target"], at: number): Promise<{ name: string; fence: number } | undefined> {
    if ((await this.#log.applied()) < at) return undefined;
    if (target === "api" || target === "server") return { name: target, fence: NO_FENCE };
    const lock = await this.#hf.lock(target === "leader" ? LEADER_LOCK : WORKER_LOCK).info();
    return lock === undefined ? undefined : { name: holderOf(lock.owner), fence: lock.fence };
  }
}

/** A small seeded generator of numbers in [0, 1) (Tommy Ettinger, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
