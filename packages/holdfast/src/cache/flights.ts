/**
 * Loads under way in this process, so that callers of one key share one.
 *
 * A caller may join a load only if its result cannot be older than what the caller may already know: the entry may have
 * been deleted or set by another process since the load began. So a later caller first asks the server whether the
 * load still holds its lease, one question per turn of the event loop for all who come in it.
 */
import type { Runtime } from "../base/runtime.ts";

export interface Flight<V> {
  readonly id: string;
  /** Of the question to the server that it has an answer to, or waits for. Rises when an answer was lost. */
  attempt: number;
  readonly abort: AbortController;
  /** True in the turn of the event loop that began it: whoever asks in it cannot know of anything newer. */
  fresh: boolean;
  /** This process has the right to load, as far as it knows. */
  leased: boolean;
  /** A question whether it still has, shared by those who ask in one turn. */
  check: Promise<boolean> | undefined;
  result: Promise<V>;
}

/** By which the server knows who may load. */
export function tokenOf({ id, attempt }: Flight<unknown>): string {
  return `${id}.${attempt}`;
}

/** Asks the server whether the flight still has the right to load. */
export type StillLeased = (token: string) => Promise<boolean>;

export class Flights<V> {
  readonly #flights = new Map<string, Flight<V>>();
  readonly #runtime: Runtime;
  readonly #onJoin: () => void;

  constructor(runtime: Runtime, onJoin: () => void) {
    this.#runtime = runtime;
    this.#onJoin = onJoin;
  }

  /** The result of a load under way where one may be joined, else of a new one: `fly`. */
  board(key: string, stillLeased: StillLeased, fly: (flight: Flight<V>) => Promise<V>): Promise<V> {
    const running = this.#flights.get(key);
    if (running === undefined) return this.#start(key, fly);
    if (running.fresh) return this.#join(running);
    return this.#boardLater(key, stillLeased, fly);
  }

  /** Nobody joins the flight from now on; those who have get its result. */
  detach(key: string): void {
    this.#flights.delete(key);
  }

  async #boardLater(key: string, stillLeased: StillLeased, fly: (flight: Flight<V>) => Promise<V>): Promise<V> {
    // A flight that only waits for another process needs no question: its lookups travel on the connection of this
    // caller's own read, so one that was answered before has landed by the next tick.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const flight = this.#flights.get(key);
    if (flight !== undefined && (!flight.leased || (await check(flight, stillLeased)))) return this.#join(flight);
    if (flight !== undefined) this.#land(key, flight);
    return this.board(key, stillLeased, fly);
  }

  #join(flight: Flight<V>): Promise<V> {
    this.#onJoin();
    return flight.result;
  }

  #start(key: string, fly: (flight: Flight<V>) => Promise<V>): Promise<V> {
    const flight: Flight<V> = {
      id: this.#runtime.randomUUID(),
      attempt: 1,
      abort: new AbortController(),
      fresh: true,
      leased: false,
      check: undefined,
      result: undefined as never,
    };
    flight.result = fly(flight);
    this.#flights.set(key, flight);
    process.nextTick(() => (flight.fresh = false));
    const land = (): void => this.#land(key, flight);
    flight.result.then(land, land);
    return flight.result;
  }

  #land(key: string, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function check(flight: Flight<unknown>, stillLeased: StillLeased): Promise<boolean> {
  if (flight.check === undefined) {
    flight.check = stillLeased(tokenOf(flight));
    process.nextTick(() => (flight.check = undefined));
  }
  return flight.check;
}
