/** The way between one simulated client and the server: slow, lossy, and sometimes not there, as the seed has it. */
import type { Delivery, Ends, Network, Path, SeededRandom, VirtualClock } from "holdfast-embedded";
import type { VirtualProcess } from "../virtual-process.ts";
import type { FaultMix } from "./faults.ts";
import type { Trace } from "./trace.ts";

/** A slow delivery is under way for up to so long: beyond the deadlines and the pings of whoever waits for it. */
const SLOWEST_MS = 5_000;

export interface NetworkSetup {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly client: VirtualProcess;
  readonly server: VirtualProcess;
  /** The mixture of this moment. */
  readonly mix: () => FaultMix;
}

export class SimulatedNetwork implements Network {
  readonly #setup: NetworkSetup;
  readonly #paths = new Set<SimulatedPath>();
  #partitions = 0;

  constructor(setup: NetworkSetup) {
    this.#setup = setup;
  }

  open(ends: Ends): Path {
    const path = new SimulatedPath(this.#setup, ends, () => this.#paths.delete(path));
    this.#paths.add(path);
    if (this.#partitions > 0) path.hold();
    return path;
  }

  /** Nothing passes for `ms`; what was sent meanwhile arrives afterwards. */
  partition(ms: number): void {
    this.#partitions += 1;
    for (const path of this.#paths) path.hold();
    this.#setup.clock.setTimer(ms, () => {
      this.#partitions -= 1;
      if (this.#partitions === 0) for (const path of this.#paths) path.release();
    });
  }

  /** The client's process has died: the server learns of it, after what was sent before. */
  hangUp(): void {
    for (const path of this.#paths) path.hangUp();
  }
}

/** One direction of a connection: everything arrives in its order, or not at all. */
class Direction {
  readonly #clock: VirtualClock;
  readonly #receiver: VirtualProcess;
  #queue: (() => void)[] = [];
  #dueMs = 0;
  #held = false;
  /** Arrivals whose time came while nothing passed. */
  #overdue = 0;

  constructor(clock: VirtualClock, receiver: VirtualProcess) {
    this.#clock = clock;
    this.#receiver = receiver;
  }

  push(deliver: () => void, latencyMs: number): void {
    const now = this.#clock.exactMs;
    this.#dueMs = Math.max(this.#dueMs, now + latencyMs);
    this.#queue.push(deliver);
    this.#receiver.deliver(this.#dueMs - now, this.#arrive);
  }

  /** What is under way is lost. */
  drop(): void {
    this.#queue = [];
    this.#overdue = 0;
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (; this.#overdue > 0; this.#overdue--) this.#receiver.deliver(0, this.#arrive);
  }

  readonly #arrive = (): void => {
    if (this.#held) this.#overdue += 1;
    else this.#queue.shift()?.();
  };
}

class SimulatedPath implements Path {
  readonly #setup: NetworkSetup;
  readonly #ends: Ends;
  readonly #onEnd: () => void;
  readonly #up: Direction;
  readonly #down: Direction;
  #reset = false;

  constructor(setup: NetworkSetup, ends: Ends, onEnd: () => void) {
    this.#setup = setup;
    this.#ends = ends;
    this.#onEnd = onEnd;
    this.#up = new Direction(setup.clock, setup.server);
    this.#down = new Direction(setup.clock, setup.client);
  }

  toServer(deliver: () => void): void {
    if (this.#reset) return;
    const { random, mix } = this.#setup;
    if (random.chance(mix().lostRequest)) this.#cut("a request is lost");
    else this.#up.push(deliver, this.#latency());
  }

  toClient(deliver: () => void, what: Delivery): void {
    if (this.#reset) return;
    const { random, mix } = this.#setup;
    // A process that dies takes what it has not transmitted with it.
    if (what === "end" && random.chance(0.5)) this.#down.drop();
    if (what === "answer" && random.chance(mix().lostAnswer)) this.#cut("an answer is lost");
    else this.#down.push(deliver, this.#latency());
  }

  hold(): void {
    this.#up.hold();
    this.#down.hold();
  }

  release(): void {
    this.#up.release();
    this.#down.release();
  }

  hangUp(): void {
    if (this.#reset) return;
    this.#end();
    this.#up.push(() => this.#ends.endServer(), this.#latency());
  }

  /** The connection breaks. What the server's side has received already may be executed all the same. */
  #cut(why: string): void {
    const { random, trace, client } = this.#setup;
    trace.note(client.name, `${why}, its connection is reset`);
    this.#end();
    this.#down.drop();
    if (random.chance(0.5)) this.#up.drop();
    this.#down.push(() => this.#ends.endClient(), this.#latency());
    this.#up.push(() => this.#ends.endServer(), this.#latency());
  }

  #end(): void {
    this.#reset = true;
    this.#onEnd();
  }

  /** Exponential, as if it stood in a queue; now and then far too long. */
  #latency(): number {
    const { random, mix } = this.#setup;
    const { latencyMs, slow } = mix();
    if (random.chance(slow)) return SLOWEST_MS * random.fraction();
    return -Math.log(1 - random.fraction()) * latencyMs;
  }
}
