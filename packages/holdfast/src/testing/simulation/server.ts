/** The server of a simulation: an embedded one whose time, chance and death the seed decides. */
import {
  type Clock,
  type ClusterView,
  createServer,
  type EmbeddedServer,
  type SeededRandom,
  takeSnapshot,
  type VirtualClock,
} from "holdfast-embedded";
import { type Dial, dialTo } from "../../driver/embedded/wire.ts";
import { VirtualProcess } from "../virtual-process.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { Trace } from "./trace.ts";

/** What a server has after it died: everything, nothing, or what it had a while ago, as after a failover. */
export type Survivors = "all" | "none" | { readonly asOfMsAgo: number };

export class SimulatedServer {
  /** `server`, or `server-1` and so on where there are several. */
  readonly name: string;
  readonly process: VirtualProcess;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #embedded: EmbeddedServer;
  #up = true;
  /** How far its clock was set forward. */
  #aheadMs = 0;

  constructor(
    name: string,
    clock: VirtualClock,
    random: SeededRandom,
    trace: Trace,
    speed: number,
    cluster?: ClusterView,
  ) {
    this.name = name;
    this.#clock = clock;
    this.#trace = trace;
    this.process = new VirtualProcess(name, clock, speed);
    const startMs = clock.exactMs;
    const wallClock: Clock = {
      nowMs: () => Math.floor(startMs + this.process.now() + this.#aheadMs),
      nowMicros: () => Math.floor((startMs + this.process.now() + this.#aheadMs) * 1000),
      setTimer: (ms, task) => this.process.setTimer(ms, task),
    };
    this.#embedded = createServer({ clock: wallClock, random: () => random.fraction(), cluster });
  }

  dialThrough(network: SimulatedNetwork): Dial {
    const dial = dialTo(this.#embedded, network);
    return (listener) => {
      if (!this.#up) throw new Error("connect ECONNREFUSED: the server is down");
      return dial(listener);
    };
  }

  /** Stands still for `ms`: nothing is executed or answered, and connections stand. */
  pause(ms: number): void {
    this.#trace.note(this.name, `stands still for ${ms.toFixed(0)} ms`);
    this.process.pause(ms);
  }

  /** Its wall clock is set forward, or back where `byMs` is negative; what expires does so by this clock. */
  stepClock(byMs: number): void {
    this.#trace.note(this.name, `has its clock set by ${byMs.toFixed(0)} ms`);
    this.#aheadMs += byMs;
  }

  /** Dies, and is back after `ms`. */
  restart(ms: number, survivors: Survivors = "all"): void {
    if (typeof survivors === "string")
      return this.#die(ms, survivors === "all" ? takeSnapshot(this.engine) : undefined);
    const snapshot = takeSnapshot(this.engine);
    this.#trace.note(this.name, "has its last backup taken");
    this.#clock.setTimer(survivors.asOfMsAgo, () => this.#die(ms, snapshot));
  }

  close(): Promise<void> {
    return this.#embedded.close();
  }

  /** Another one after a restart. */
  get engine(): EmbeddedServer["engine"] {
    return this.#embedded.engine;
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** A message that was published at another server of its cluster. */
  hear(channel: string, message: string, afterMs: number): void {
    const deliver = (): void => this.engine.outsideCommand(() => this.engine.pubsub.publish(channel, message));
    this.process.deliver(afterMs, () => this.#up && deliver());
  }

  #die(ms: number, snapshot: Buffer | undefined): void {
    if (!this.#up) return;
    this.#trace.note(this.name, `dies for ${ms.toFixed(0)} ms`);
    this.#up = false;
    this.#embedded.restart(snapshot);
    this.#clock.setTimer(ms, () => {
      this.#up = true;
      this.#trace.note(this.name, "is back");
    });
  }
}
