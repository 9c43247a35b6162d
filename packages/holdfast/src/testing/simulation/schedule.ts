/** One schedule: one seed, one server or several, some clients, and everything that happens among them. */
import { SeededRandom, VirtualClock } from "holdfast-embedded";
import type { ConnectOptions } from "../../connect.ts";
import { CALM, drawMix, type FaultMix, type FaultOptions } from "./faults.ts";
import { systemRuntime } from "../../base/runtime.ts";
import { SimulatedClient } from "./client.ts";
import { SimulatedCluster } from "./cluster.ts";
import { SimulatedServer } from "./server.ts";
import { Trace } from "./trace.ts";

/** What the body of a simulation is given. */
export interface Simulation {
  readonly seed: number;
  /** Each a process with a handle of its own on each server, connected. */
  readonly clients: readonly SimulatedClient[];
  /** The first one. */
  readonly server: SimulatedServer;
  /** Independent of each other unless they are a cluster, each with its own data, clock and faults. */
  readonly servers: readonly SimulatedServer[];
  /** Which the servers are together, where `cluster` was asked for. */
  readonly cluster: SimulatedCluster | undefined;
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
  readonly servers: number;
  readonly cluster: boolean;
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
  readonly #servers: readonly SimulatedServer[];
  readonly #cluster: SimulatedCluster | undefined;
  readonly #clients: SimulatedClient[] = [];
  #chaosEndMs = 0;
  /** Before the clients are connected and after the chaos nothing goes wrong. */
  #mix: FaultMix;

  constructor(seed: number, setup: ScheduleSetup) {
    this.seed = seed;
    this.#setup = setup;
    this.#random = new SeededRandom(seed);
    this.trace = new Trace(() => this.now());
    this.#drawn = drawMix(this.#random, setup.faults, setup.cluster);
    this.#mix = { ...this.#drawn, ...CALM };
    const names = Array.from({ length: setup.servers }, (_, at) =>
      setup.servers === 1 ? "server" : `server-${at + 1}`,
    );
    this.#cluster = setup.cluster ? new SimulatedCluster(names, this.#clock, this.#fork(), this.trace) : undefined;
    this.#servers = names.map((name, at) => {
      const view = this.#cluster?.viewOf(at);
      return new SimulatedServer(name, this.#clock, this.#fork(), this.trace, this.#speed(), view);
    });
    this.#cluster?.join(this.#servers);
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
        servers: this.#servers,
        cluster: this.#cluster,
        fork: () => this.#fork(),
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
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #simulation(): Simulation {
    return {
      seed: this.seed,
      clients: this.#clients,
      server: this.#servers[0]!,
      servers: this.#servers,
      cluster: this.#cluster,
      random: this.#fork(),
      now: () => this.now(),
      sleep: (ms) => new Promise((resolve) => void this.#clock.setTimer(ms, resolve)),
      note: (text) => this.trace.note("*", text),
    };
  }

  // ---- what goes wrong, and when

  #beginChaos(): void {
    const { clientPauses, migrations, partitions, restarts, serverPauses } = this.#drawn;
    const [clients, servers] = [this.#clients, this.#servers];
    this.#mix = this.#drawn;
    this.#chaosEndMs = this.now() + this.#setup.chaosMs;
    this.#scatter(partitions, () =>
      this.#random.pick(clients).partition(this.#lasting(LONGEST_PAUSE_MS), this.#some()),
    );
    this.#scatter(clientPauses, () => this.#random.pick(clients).pause(this.#lasting(LONGEST_PAUSE_MS)));
    this.#scatter(serverPauses * servers.length, () => this.#one().pause(this.#lasting(LONGEST_PAUSE_MS)));
    this.#scatter(restarts * servers.length, () => this.#crash(this.#one()));
    this.#scatter(migrations, () => void this.#cluster?.migrateAny());
    this.#clock.setTimer(this.#setup.chaosMs, () => (this.#mix = { ...this.#drawn, ...CALM }));
  }

  #crash(server: SimulatedServer): void {
    const ms = this.#lasting(LONGEST_OUTAGE_MS);
    if (!this.#drawn.dataLoss) return server.restart(ms, "all");
    if (this.#random.chance(0.5)) return server.restart(ms, "none");
    const lagMs = ms * this.#random.fraction();
    server.restart(ms - lagMs, { asOfMsAgo: lagMs });
  }

  /** No choice, and no chance spent on it, where there is only one. */
  #one(): SimulatedServer {
    return this.#servers.length === 1 ? this.#servers[0]! : this.#random.pick(this.#servers);
  }

  #some(): readonly SimulatedServer[] {
    return this.#servers.length === 1 ? this.#servers : this.#servers.filter(() => this.#random.chance(0.5));
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
