/** One package, one case: what is started, what is measured. The server is empty before each. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchServer } from "../suite.ts";
import type { Package } from "./port.ts";
import { QueueProcess } from "./process.ts";

export interface QueueFigures {
  /** Jobs per second; of a latency: milliseconds. */
  readonly value: number;
  /** Microseconds per job of the clients' CPU, all processes. */
  readonly cpuMicros?: number;
  /** Microseconds per job of the server's CPU. */
  readonly serverMicros?: number;
  /** The part of them that its scripts took, by its own count. */
  readonly scriptMicros?: number;
  /** Of a waiting job. */
  readonly bytes?: number;
}

export type QueueRun = (server: BenchServer, name: Package) => Promise<Readonly<Record<string, QueueFigures>>>;

/** Producers alone; `inFlight` undefined: in bulk. */
export function adding(what: string, jobs: number, inFlight: number | undefined): QueueRun {
  return async (server, name) => {
    await using producer = await QueueProcess.start(name, server);
    const meter = await Meter.start(server, jobs, [producer]);
    const { began, ended } = await (inFlight === undefined
      ? producer.call("addMany", jobs)
      : producer.call("add", jobs, inFlight));
    return { [what]: await meter.read(ended - began, true) };
  };
}

export function addingAndRunning(what: string, jobs: number, inFlight: number): QueueRun {
  return async (server, name) => {
    await using both = await QueueProcess.start(name, server);
    const meter = await Meter.start(server, jobs, [both]);
    const { began, ended } = await both.call("addAndRun", jobs, inFlight);
    return { [what]: await meter.read(ended - began) };
  };
}

export interface Fleet {
  readonly jobs: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly handlerMs: number;
}

/** Jobs that wait already: from the first one's start to the last one's end. */
export function processing(what: string, { jobs, workers, concurrency, handlerMs }: Fleet): QueueRun {
  return async (server, name) => {
    await using fleet = await startFleet(name, server, workers);
    await server.empty();
    await fleet.producer.call("open");
    await fleet.producer.call("addMany", jobs);
    const meter = await Meter.start(server, jobs, fleet.workers, "kept");
    await Promise.all(fleet.workers.map((worker) => worker.call("work", concurrency, handlerMs)));
    const { first, last } = await allRan(fleet.workers, jobs);
    return { [what]: await meter.read(last - first) };
  };
}

/** Workers that listen while jobs are added in bulk: from the first addition to the last one's end. */
export function flowing(what: string, { jobs, workers, concurrency, handlerMs }: Fleet): QueueRun {
  return async (server, name) => {
    await using fleet = await startFleet(name, server, workers);
    const meter = await Meter.start(server, jobs, [fleet.producer, ...fleet.workers]);
    await Promise.all(fleet.workers.map((worker) => worker.call("work", concurrency, handlerMs)));
    const { began } = await fleet.producer.call("addMany", jobs);
    const { last } = await allRan(fleet.workers, jobs);
    return { [what]: await meter.read(last - began) };
  };
}

/** From `add` to the start of the handler, of jobs that come to an idle worker of another process. */
export function pickingUp(what: string, jobs: number): QueueRun {
  return async (server, name) => {
    await using fleet = await startFleet(name, server, 1);
    const [worker] = fleet.workers;
    const meter = await Meter.start(server, jobs, [fleet.producer, ...fleet.workers]);
    await worker!.call("work", 1, 0);
    await fleet.producer.call("addLone", jobs);
    await allRan(fleet.workers, jobs);
    const used = await meter.read(1);
    const sorted = (await worker!.call("latencies")).sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!;
    return {
      [`${what}, median`]: { ...used, value: at(0.5) },
      [`${what}, p99`]: { value: at(0.99) },
    };
  };
}

/** What the server and the clients use from here on. */
class Meter {
  readonly #server: BenchServer;
  readonly #jobs: number;
  readonly #processes: readonly QueueProcess[];
  #cpuBefore = 0;
  #before = { cpuMicros: 0, scriptMicros: 0, bytes: 0 };

  private constructor(server: BenchServer, jobs: number, processes: readonly QueueProcess[]) {
    this.#server = server;
    this.#jobs = jobs;
    this.#processes = processes;
  }

  static async start(
    server: BenchServer,
    jobs: number,
    processes: readonly QueueProcess[],
    keys: "none" | "kept" = "none",
  ): Promise<Meter> {
    if (keys === "none") await server.empty();
    for (const one of processes) await one.call("open");
    const meter = new Meter(server, jobs, processes);
    meter.#cpuBefore = await meter.#cpu();
    meter.#before = await server.usage();
    return meter;
  }

  async read(ms: number, waiting = false): Promise<QueueFigures> {
    const { cpuMicros, scriptMicros, bytes } = await this.#server.usage();
    const perJob = (after: number, before: number): number => (after - before) / this.#jobs;
    return {
      value: (this.#jobs / ms) * 1000,
      cpuMicros: perJob(await this.#cpu(), this.#cpuBefore),
      serverMicros: perJob(cpuMicros, this.#before.cpuMicros),
      scriptMicros: perJob(scriptMicros, this.#before.scriptMicros),
      ...(waiting ? { bytes: perJob(bytes, this.#before.bytes) } : {}),
    };
  }

  async #cpu(): Promise<number> {
    const each = await Promise.all(this.#processes.map((one) => one.call("cpu")));
    return each.reduce((sum, micros) => sum + micros, 0);
  }
}

interface StartedFleet extends AsyncDisposable {
  readonly producer: QueueProcess;
  readonly workers: readonly QueueProcess[];
}

async function startFleet(name: Package, server: BenchServer, workers: number): Promise<StartedFleet> {
  const [producer, ...others] = await Promise.all(
    Array.from({ length: workers + 1 }, () => QueueProcess.start(name, server)),
  );
  const stop = async (): Promise<void> => {
    await Promise.all([producer!, ...others].map((one) => one[Symbol.asyncDispose]()));
  };
  return { producer: producer!, workers: others, [Symbol.asyncDispose]: stop };
}

const LOOK_MS = 20;

async function allRan(workers: readonly QueueProcess[], jobs: number): Promise<{ first: number; last: number }> {
  for (;;) {
    const each = await Promise.all(workers.map((worker) => worker.call("worked")));
    const busy = each.filter(({ count }) => count > 0);
    if (busy.reduce((sum, { count }) => sum + count, 0) >= jobs)
      return { first: Math.min(...busy.map(({ first }) => first)), last: Math.max(...busy.map(({ last }) => last)) };
    await sleep(LOOK_MS);
  }
}
