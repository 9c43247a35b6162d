/** One schedule: one seed, one server, some clients, and everything that happens among them. */
import { SeededRandom, VirtualClock } from "holdfast-embedded";
import type { ConnectOptions } from "../../connect.ts";
import { CALM, drawMix, type FaultMix, type FaultOptions } from "./faults.ts";
import { systemRuntime } from "../../base/runtime.ts";
import { SimulatedClient } from "./client.ts";
import { SimulatedServer } from "./server.ts";
import { Trace } from "./trace.ts";

/** What the body of a simulation is given. */
export interface Simulation {
  readonly seed: number;
  /** Each a process with a handle of its own, connected. */
  readonly clients: readonly SimulatedClient[];
  readonly server: SimulatedServer;
  /** For the body's own choices; its numbers follow from the seed. */
  readonly random: SeededRandom;
  /** True milliseconds since the schedule began. */
  readonly now: () => number;
  /** True time, also while processes stand still. */
  readonly sleep: (ms: number) => Promise<void>;
  /** A line of its own in the trace that a failure prints. */
  readonly note: (text: string) => void;
}

export interface ScheduleSetup {
  readonly clients: number;
  readonly faults: Required<FaultOptions>;
  /** Faults happen during so much simulated time, and none afterwards. */
  readonly chaosMs: number;
  /** A schedule that takes longer has failed. */
  readonly limitMs: number;
  readonly connect: ConnectOptions;
}

export interface Outcome {
  readonly digest: string;
  readonly events: number;
  readonly simulatedMs: number;
}

/** A schedule with more events turns in a circle. */
const MOST_EVENTS = 2_000_000;
const LONGEST_PAUSE_MS = 3_000;
const LONGEST_OUTAGE_MS = 2_000;

export class Schedule {
  readonly seed: number;
  readonly trace: Trace;
  readonly #setup: ScheduleSetup;
  readonly #clock = new VirtualClock();
  readonly #startMs: number = this.#clock.exactMs;
  readonly #random: SeededRandom;
  readonly #drawn: FaultMix;
  readonly #server: SimulatedServer;
  readonly #clients: SimulatedClient[] = [];
  #chaosEndMs = 0;
  /** Before the clients are connected and after the chaos nothing goes wrong. */
  #mix: FaultMix;

  constructor(seed: number, setup: ScheduleSetup) {
    this.seed = seed;
    this.#setup = setup;
    this.#random = new SeededRandom(seed);
    this.trace = new Trace(() => this.now());
    this.#drawn = drawMix(this.#random, setup.faults);
    this.#mix = { ...this.#drawn, ...CALM };
    this.#server = new SimulatedServer(this.#clock, this.#fork(), this.trace, this.#speed());
  }

  async run(body: (simulation: Simulation) => Promise<void>): Promise<Outcome> {
    await this.#play(this.#connect());
    this.#beginChaos();
    try {
      await this.#play(body(this.#simulation()));
    } finally {
      this.#mix = { ...this.#drawn, ...CALM };
      await this.#play(this.#close());
    }
    return { digest: this.trace.digest, events: this.trace.events, simulatedMs: this.now() };
  }

  now(): number {
    return this.#clock.exactMs - this.#startMs;
  }

  /** Lets everything happen, one event after the other, until the work is done. */
  async #play(work: Promise<void>): Promise<void> {
    let over = false;
    const end = (): void => void (over = true);
    work.then(end, end);
    for (let events = 0; ; events++) {
      // A real turn: all promises that the last event has settled are followed up before the next event.
      await new Promise<void>((resolve) => systemRuntime.setImmediate(resolve));
      if (over) return work;
      if (events > MOST_EVENTS) throw new Error(`not done after ${MOST_EVENTS} events`);
      if (!this.#clock.fireNext(this.#startMs + this.#setup.limitMs)) throw this.#stuck();
    }
  }

  #stuck(): Error {
    const waits = this.#clock.nextDueMs() === undefined ? "and nothing is left to happen" : "it hangs";
    return new Error(`not done after ${this.#setup.limitMs} ms of simulated time: ${waits}`);
  }

  async #connect(): Promise<void> {
    for (let at = 1; at <= this.#setup.clients; at++) {
      const client = await SimulatedClient.connect({
        name: `client-${at}`,
        clock: this.#clock,
        random: this.#fork(),
        trace: this.trace,
        server: this.#server,
        speed: this.#speed(),
        mix: () => this.#mix,
        fenced: !this.#setup.faults.lateCopies,
        connect: this.#setup.connect,
      });
      this.#clients.push(client);
    }
  }

  async #close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#server.close();
  }

  #simulation(): Simulation {
    return {
      seed: this.seed,
      clients: this.#clients,
      server: this.#server,
      random: this.#fork(),
      now: () => this.now(),
      sleep: (ms) => new Promise((resolve) => void this.#clock.setTimer(ms, resolve)),
      note: (text) => this.trace.note("*", text),
    };
  }

  // ---- what goes wrong, and when

  #beginChaos(): void {
    const [clients, server] = [this.#clients, this.#server];
    this.#mix = this.#drawn;
    this.#chaosEndMs = this.now() + this.#setup.chaosMs;
    this.#scatter(this.#drawn.partitions, () => this.#random.pick(clients).partition(this.#lasting(LONGEST_PAUSE_MS)));
    this.#scatter(this.#drawn.clientPauses, () => this.#random.pick(clients).pause(this.#lasting(LONGEST_PAUSE_MS)));
    this.#scatter(this.#drawn.serverPauses, () => server.pause(this.#lasting(LONGEST_PAUSE_MS)));
    this.#scatter(this.#drawn.restarts, () => this.#crash());
    this.#clock.setTimer(this.#setup.chaosMs, () => (this.#mix = { ...this.#drawn, ...CALM }));
  }

  #crash(): void {
    const ms = this.#lasting(LONGEST_OUTAGE_MS);
    if (!this.#drawn.dataLoss) return this.#server.restart(ms, "all");
    if (this.#random.chance(0.5)) return this.#server.restart(ms, "none");
    const lagMs = ms * this.#random.fraction();
    this.#server.restart(ms - lagMs, { asOfMsAgo: lagMs });
  }

  /** A Poisson process over the time of chaos. */
  #scatter(perSecond: number, happen: () => void): void {
    if (perSecond === 0) return;
    const again = (atMs: number): void => {
      const nextMs = atMs - (Math.log(1 - this.#random.fraction()) * 1000) / perSecond;
      if (nextMs >= this.#setup.chaosMs) return;
      this.#clock.setTimer(nextMs - atMs, () => {
        happen();
        again(nextMs);
      });
    };
    again(0);
  }

  /** Milliseconds: rather few, and over with the chaos. */
  #lasting(longestMs: number): number {
    return Math.min(longestMs * this.#random.fraction() ** 2, this.#chaosEndMs - this.now());
  }

  #speed(): number {
    return 1 + this.#drawn.skew * (2 * this.#random.fraction() - 1);
  }

  /** So that one part's choices do not shift another's. */
  #fork(): SeededRandom {
    return new SeededRandom(this.#random.integer(0, 2 ** 32 - 1));
  }
}
