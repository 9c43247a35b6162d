/**
 * Loads under way in this process, so that callers of one key share one.
 *
 * A caller may join a load only if what it reads cannot be older than the caller's own question: the entry may have been
 * deleted or set by another process since the load began. The moments of both are counted, not timed:
 *
 *     the load began after the caller had asked ....... joined
 *     the flight still asks the server, or waits for another process' load, and the caller's own
 *         question was answered .................. joined: its answer comes after the caller's
 *     it loads with a lease ........................... joined if the server says that it still has it
 *     it loads without the server, or cannot be checked  not joined: the caller waits until it has ended; the next load
 *         begins after all its waiters had asked, and they share it
 */
import { nextTick, type Runtime } from "../base/runtime.ts";
import { aboutOf, payloadOf, sequenceOf } from "./entry.ts";

/** A value that was loaded or found: encoded, with what it depends on. */
export interface Loaded {
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly tags: readonly string[] | undefined;
  /** Whether it comes from a write that waits for the database. */
  readonly isPending: boolean;
}

export function loadedOf(stored: Buffer): Loaded {
  return { bytes: payloadOf(stored), sequence: sequenceOf(stored), tags: aboutOf(stored)?.t, isPending: false };
}

export interface Flight {
  readonly id: string;
  /** Of the question to the server that it has an answer to, or waits for. Rises when an answer was lost. */
  attempt: number;
  readonly abort: AbortController;
  stage: "asking" | "leased" | "alone";
  /** In the count of its Flights: when it took off, then when it began to load. */
  began: number;
  /** A question whether it still has its lease, shared by those who ask in the same tick. */
  check: Promise<boolean | undefined> | undefined;
  result: Promise<Loaded>;
}

/** By which the server knows who may load. */
export function tokenOf({ id, attempt }: Pick<Flight, "id" | "attempt">): string {
  return `${id}.${attempt}`;
}

/** One caller's wish for a load. */
export interface Boarding {
  readonly key: string;
  /** `Flights.now` when the caller asked. */
  readonly since: number;
  /** Whether the server has answered the caller's own question. */
  reached: boolean;
  /** Asks the server whether the flight still has the right to load; undefined when the server cannot say. */
  stillLeased(token: string): Promise<boolean | undefined>;
  fly(flight: Flight): Promise<Loaded>;
  /** Another load is waited for. */
  waits(): void;
}

export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #runtime: Runtime;
  readonly #onJoin: () => void;
  #now = 0;

  constructor(runtime: Runtime, onJoin: () => void) {
    this.#runtime = runtime;
    this.#onJoin = onJoin;
  }

  /** A count of beginnings: what begins later has a greater one. */
  get now(): number {
    return this.#now;
  }

  /** A load under way where one may be joined, else a new one. */
  async board(boarding: Boarding): Promise<Flight> {
    const { key, since } = boarding;
    for (;;) {
      const flight = this.#flights.get(key);
      if (flight === undefined) return this.#start(boarding);
      if (flight.began > since) return this.#join(flight, boarding);
      // Its lookups travel on the connection of this caller's own read: one that was answered before has landed by then.
      await tickOver();
      if (this.#flights.get(key) !== flight) continue;
      const joinable = await isJoinable(flight, boarding);
      if (joinable === true) return this.#join(flight, boarding);
      if (joinable === false) {
        this.#land(key, flight);
        continue;
      }
      boarding.waits();
      await flight.result.catch(() => undefined);
    }
  }

  /** The flight reads its source from now on. */
  loads(flight: Flight, stage: "leased" | "alone"): void {
    flight.stage = stage;
    flight.began = this.#now += 1;
  }

  /** Whether a load of that key is under way here. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Nobody joins the flight from now on; those who have get its result. */
  detach(key: string): void {
    this.#flights.delete(key);
  }

  #join(flight: Flight, boarding: Boarding): Flight {
    this.#onJoin();
    boarding.waits();
    return flight;
  }

  #start(boarding: Boarding): Flight {
    const { key } = boarding;
    const flight: Flight = {
      id: this.#runtime.randomUUID(),
      attempt: 1,
      abort: new AbortController(),
      stage: "asking",
      began: (this.#now += 1),
      check: undefined,
      result: undefined as never,
    };
    this.#flights.set(key, flight);
    flight.result = boarding.fly(flight);
    const land = (): void => this.#land(key, flight);
    flight.result.then(land, land);
    return flight;
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** False where its lease is lost, undefined where the server cannot say. */
async function isJoinable(flight: Flight, boarding: Boarding): Promise<boolean | undefined> {
  if (flight.began > boarding.since) return true;
  if (!boarding.reached || flight.stage === "alone") return undefined;
  if (flight.stage === "asking") return true;
  const leased = await check(flight, boarding);
  if (leased === undefined) boarding.reached = false;
  return leased;
}

function check(flight: Flight, boarding: Boarding): Promise<boolean | undefined> {
  if (flight.check !== undefined) return flight.check;
  const answer = boarding.stillLeased(tokenOf(flight));
  flight.check = answer;
  nextTick(() => (flight.check = undefined));
  return answer;
}

function tickOver(): Promise<void> {
  return new Promise((resolve) => {
    nextTick(resolve);
  });
}
