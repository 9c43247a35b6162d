/** One process of a simulation with handles of its own. */
import type { SeededRandom, VirtualClock } from "holdfast-embedded";
import { assemble, type ConnectOptions } from "../../connect.ts";
import { type Address, addressName } from "../../driver/connection/url.ts";
import { type ClusterDial, openOver } from "../../driver/embedded/open.ts";
import type { Dial } from "../../driver/embedded/wire.ts";
import type { Holdfast } from "../../holdfast.ts";
import { sleep } from "../../base/runtime.ts";
import { VirtualProcess } from "../virtual-process.ts";
import { VirtualRuntime } from "../virtual-runtime.ts";
import { SimulatedNetwork } from "./network.ts";
import type { SimulatedCluster } from "./cluster.ts";
import type { FaultMix } from "./faults.ts";
import type { SimulatedServer } from "./server.ts";
import type { Trace } from "./trace.ts";

export interface ClientSetup {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly servers: readonly SimulatedServer[];
  readonly cluster: SimulatedCluster | undefined;
  /** Chance of its own for the way to each server after the first. */
  readonly fork: () => SeededRandom;
  readonly speed: number;
  readonly mix: () => FaultMix;
  readonly fenced: boolean;
  readonly connect: ConnectOptions;
}

/** The way to one server. */
interface Link {
  readonly server: SimulatedServer;
  readonly network: SimulatedNetwork;
  readonly dial: Dial;
}

export class SimulatedClient {
  readonly name: string;
  /** On the first server, or on the cluster. */
  readonly hf: Holdfast;
  /** One for each server, in their order; on a cluster one in all. */
  readonly handles: readonly Holdfast[];
  readonly #setup: ClientSetup;
  readonly #process: VirtualProcess;
  readonly #runtime: VirtualRuntime;
  readonly #links: readonly Link[];

  private constructor(
    setup: ClientSetup,
    process: VirtualProcess,
    runtime: VirtualRuntime,
    links: readonly Link[],
    handles: readonly Holdfast[],
  ) {
    this.name = setup.name;
    this.hf = handles[0]!;
    this.handles = handles;
    this.#setup = setup;
    this.#process = process;
    this.#runtime = runtime;
    this.#links = links;
  }

  static async connect(setup: ClientSetup): Promise<SimulatedClient> {
    const process = new VirtualProcess(setup.name, setup.clock, setup.speed);
    const runtime = new VirtualRuntime(process, setup.random, (task) => void process.deliver(0, task));
    const links: Link[] = [];
    for (const server of setup.servers) links.push(link(setup, server, process, links.length === 0));
    const handles = await open(setup, runtime, links);
    return new SimulatedClient(setup, process, runtime, links, handles);
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

  /** Nothing passes between it and the servers, or those that are given, for `ms`; connections stand. */
  partition(ms: number, servers: readonly SimulatedServer[] = this.#setup.servers): void {
    const from = servers.length === this.#links.length ? "" : ` from ${servers.map(({ name }) => name).join(", ")}`;
    this.#setup.trace.note(this.name, `is cut off${from} for ${ms.toFixed(0)} ms`);
    for (const { server, network } of this.#links) if (servers.includes(server)) network.partition(ms);
  }

  /** Its process dies. What was sent may still be executed; nothing that it awaits ever happens. */
  kill(): void {
    this.#setup.trace.note(this.name, "dies");
    this.#process.kill();
    for (const { network } of this.#links) network.hangUp();
  }

  /** Closes the handles of a process that is alive. */
  async close(): Promise<void> {
    if (!this.#process.isDead) await Promise.all(this.handles.map((hf) => hf.close()));
  }
}

function link(setup: ClientSetup, server: SimulatedServer, process: VirtualProcess, isFirst: boolean): Link {
  const { servers, trace } = setup;
  const random = isFirst ? setup.random : setup.fork();
  const network = new SimulatedNetwork({ ...setup, random, client: process, server: server.process });
  const name = servers.length === 1 ? setup.name : `${setup.name} to ${server.name}`;
  return { server, network, dial: traced(server.dialThrough(network), name, trace) };
}

async function open(setup: ClientSetup, runtime: VirtualRuntime, links: readonly Link[]): Promise<Holdfast[]> {
  const { cluster, connect, fenced } = setup;
  const surroundings = { closed: async () => undefined, runtime, lossy: true, fenced };
  const handle = (dial: Dial | ClusterDial): Promise<Holdfast> =>
    assemble(connect, (opening) => openOver(dial, connect, surroundings, opening), runtime);
  if (cluster !== undefined) {
    const { addresses } = cluster;
    const dialAt = (address: Address): Dial =>
      links[addresses.findIndex((of) => addressName(of) === addressName(address))]!.dial;
    return [await handle({ addresses, dialAt })];
  }
  const handles: Holdfast[] = [];
  for (const { dial } of links) handles.push(await handle(dial));
  return handles;
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
