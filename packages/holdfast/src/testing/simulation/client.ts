/** One process of a simulation with a handle of its own. */
import type { SeededRandom, VirtualClock } from "holdfast-embedded";
import { assemble, type ConnectOptions } from "../../connect.ts";
import type { Opening } from "../../driver/connection/deferred.ts";
import { openOver } from "../../driver/embedded/open.ts";
import type { Dial } from "../../driver/embedded/wire.ts";
import type { Holdfast } from "../../holdfast.ts";
import { sleep } from "../../base/runtime.ts";
import { VirtualProcess } from "../virtual-process.ts";
import { VirtualRuntime } from "../virtual-runtime.ts";
import { SimulatedNetwork } from "./network.ts";
import type { FaultMix } from "./faults.ts";
import type { SimulatedServer } from "./server.ts";
import type { Trace } from "./trace.ts";

export interface ClientSetup {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly server: SimulatedServer;
  readonly speed: number;
  readonly mix: () => FaultMix;
  readonly fenced: boolean;
  readonly connect: ConnectOptions;
}

export class SimulatedClient {
  readonly name: string;
  readonly hf: Holdfast;
  readonly #setup: ClientSetup;
  readonly #process: VirtualProcess;
  readonly #runtime: VirtualRuntime;
  readonly #network: SimulatedNetwork;

  private constructor(
    setup: ClientSetup,
    hf: Holdfast,
    process: VirtualProcess,
    runtime: VirtualRuntime,
    network: SimulatedNetwork,
  ) {
    this.name = setup.name;
    this.hf = hf;
    this.#setup = setup;
    this.#process = process;
    this.#runtime = runtime;
    this.#network = network;
  }

  static async connect(setup: ClientSetup): Promise<SimulatedClient> {
    const { clock, connect, fenced, random, server, trace } = setup;
    const process = new VirtualProcess(setup.name, clock, setup.speed);
    const runtime = new VirtualRuntime(process, random, (task) => void process.deliver(0, task));
    const network = new SimulatedNetwork({ ...setup, client: process, server: server.process });
    const dial = traced(server.dialThrough(network), setup.name, trace);
    const open = (opening: Opening): ReturnType<typeof openOver> =>
      openOver(dial, connect, { closed: async () => undefined, runtime, lossy: true, fenced }, opening);
    return new SimulatedClient(setup, await assemble(connect, open, runtime), process, runtime, network);
  }

  /** Milliseconds on this process's clock. */
  now(): number {
    return this.#process.now();
  }

  /** As this process sleeps: on its own clock, and longer where it stands still. */
  sleep(ms: number): Promise<void> {
    return sleep(this.#runtime, ms);
  }

  /** Its process stands still for `ms`. */
  pause(ms: number): void {
    this.#setup.trace.note(this.name, `stands still for ${ms.toFixed(0)} ms`);
    this.#process.pause(ms);
  }

  /** Nothing passes between it and the server for `ms`; connections stand. */
  partition(ms: number): void {
    this.#setup.trace.note(this.name, `is cut off for ${ms.toFixed(0)} ms`);
    this.#network.partition(ms);
  }

  /** Its process dies. What was sent may still be executed; nothing that it awaits ever happens. */
  kill(): void {
    this.#setup.trace.note(this.name, "dies");
    this.#process.kill();
    this.#network.hangUp();
  }

  /** Closes the handle of a process that is alive. */
  async close(): Promise<void> {
    if (!this.#process.isDead) await this.hf.close();
  }
}

/** Commands and messages are told to the trace. */
function traced(dial: Dial, name: string, trace: Trace): Dial {
  return (listener) => {
    const wire = dial({
      message: (message) => {
        trace.note(name, "is told something");
        listener.message(message);
      },
      closed: (cause) => {
        trace.note(name, "loses a connection");
        listener.closed(cause);
      },
    });
    return {
      send: (args, done) => {
        // Heartbeats would leave no room for what matters.
        if (args[0] === "PING") return wire.send(args, done);
        trace.note(name, ">", args);
        wire.send(args, (reply) => {
          trace.note(name, "<", args.slice(0, 2));
          done(reply);
        });
      },
      close: () => wire.close(),
    };
  };
}
