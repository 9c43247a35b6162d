/**
 * A server of one's own for a test: in this process, nothing to install, with faults to inject and, if asked for, with a clock
 * that moves only when the test says so.
 *
 *     await using server = await createTestServer({ clock: "virtual" });
 *     const hf = await server.connect();
 *     await hf.cache("users", { ttl: "5m" }).set("ada", user);
 *     await server.clock.advance("10m");
 *
 * It is the embedded server; before production the same tests should run against Redis or Valkey too.
 */
import { createServer, type EmbeddedServer, RealClock, SeededRandom, VirtualClock } from "holdfast-embedded";
import { assemble, type ConnectOptions } from "../connect.ts";
import type { Opening } from "../driver/connection/deferred.ts";
import { openOver } from "../driver/embedded/open.ts";
import { dialTo } from "../driver/embedded/wire.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { type Runtime, systemRuntime } from "../base/runtime.ts";
import { Faults } from "./faults.ts";
import { RealTime, type TestClock, VirtualTime } from "./test-clock.ts";
import { TestNetwork } from "./test-network.ts";
import { VirtualProcess } from "./virtual-process.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

export interface TestServerOptions {
  /**
   * `virtual`: time stands still until `clock.advance`, for the server and for the handles of `connect()`: their ttls,
   * deadlines and retries too. Other clients keep their own time.
   * @default "real"
   */
  readonly clock?: "real" | "virtual";
  /** Where a virtual clock begins. @default 2024-01-01T00:00:00Z */
  readonly startAt?: Date;
  /** For what handles and server choose at random under a virtual clock. @default 1 */
  readonly seed?: number;
  /** Password of the default user. @default none */
  readonly password?: string;
  /** Passwords of further users, by name. @default none */
  readonly users?: Readonly<Record<string, string>>;
}

export interface TestServer extends AsyncDisposable {
  readonly clock: TestClock;
  readonly faults: Faults;
  /** A handle, by calls in this process. It is closed with the server where it was not before. */
  connect(options?: Omit<ConnectOptions, "url">): Promise<Holdfast>;
  /** Opens a port on 127.0.0.1 and resolves with its URL, for other clients and other processes. The faults are theirs too. */
  listen(): Promise<string>;
  /** Ends every fault, closes the handles, then the server. Idempotent. */
  close(): Promise<void>;
}

export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = "real", startAt, seed = 1, password, users } = options;
  if (clock !== "real" && clock !== "virtual") throw new InvalidArgumentError("clock", '"real" or "virtual"', clock);
  const time = clock === "virtual" ? virtualTime(startAt, seed) : realTime();
  const network = new TestNetwork(time.serverClock);
  const server = createServer({ clock: time.serverClock, random: time.random, network, password, users });
  return new InProcessTestServer(server, network, time);
}

/** Whose time it is, for the server and for each new handle. */
interface Time {
  readonly clock: RealTime | VirtualTime;
  readonly serverClock: RealClock | VirtualClock;
  readonly random: (() => number) | undefined;
  runtime(): Runtime;
}

function realTime(): Time {
  const serverClock = new RealClock();
  return { clock: new RealTime(serverClock), serverClock, random: undefined, runtime: () => systemRuntime };
}

function virtualTime(startAt: Date | undefined, seed: number): Time {
  const serverClock = new VirtualClock(startAt?.getTime());
  const clock = new VirtualTime(serverClock);
  const random = new SeededRandom(seed);
  return {
    clock,
    serverClock,
    random: () => random.fraction(),
    runtime: () => new VirtualRuntime(new VirtualProcess("test", serverClock), random, clock.defer),
  };
}

class InProcessTestServer implements TestServer {
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly #server: EmbeddedServer;
  readonly #network: TestNetwork;
  readonly #time: Time;
  readonly #handles = new Set<Holdfast>();
  #closing: Promise<void> | undefined;

  constructor(server: EmbeddedServer, network: TestNetwork, time: Time) {
    this.clock = time.clock;
    this.faults = new Faults(server, network);
    this.#server = server;
    this.#network = network;
    this.#time = time;
  }

  async connect(options: Omit<ConnectOptions, "url"> = {}): Promise<Holdfast> {
    const runtime = this.#time.runtime();
    const surroundings = { closed: async () => undefined, runtime, lossy: true, silences: this.#network };
    const open = (opening: Opening): ReturnType<typeof openOver> =>
      openOver(dialTo(this.#server, this.#network), options, surroundings, opening);
    const hf = await assemble(options, open, runtime);
    this.#handles.add(hf);
    return hf;
  }

  async listen(): Promise<string> {
    await this.#server.listen();
    return `redis://127.0.0.1:${this.#server.port}`;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#network.heal();
    await this.#time.clock.during(Promise.all([...this.#handles].map((handle) => handle.close())));
    await this.#server.close();
  }
}
