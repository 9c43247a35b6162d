/** One package, one case: what is started, what is measured. The server is empty before each. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CalledProcess } from "../called.ts";
import { type MeasuredFigures, Meter } from "../meter.ts";
import type { BenchServer } from "../suite.ts";
import type { Package } from "./port.ts";
import type { Calls } from "./program.ts";

export type QueueFigures = MeasuredFigures;

export type QueueRun = (server: BenchServer, name: Package) => Promise<Readonly<Record<string, QueueFigures>>>;

/** Producers alone; `inFlight` undefined: in bulk. */
export function adding(what: string, jobs: number, inFlight: number | undefined): QueueRun {
  return async (server, name) => {
    await using producer = await startProcess(name, server);
    const meter = await startMeter(server, jobs, [producer]);
    const { began, ended } = await (inFlight === undefined
      ? producer.call("addMany", jobs)
      : producer.call("add", jobs, inFlight));
    return { [what]: await meter.read(ended - began, true) };
  };
}

export function addingAndRunning(what: string, jobs: number, inFlight: number): QueueRun {
  return async (server, name) => {
    await using both = await startProcess(name, server);
    const meter = await startMeter(server, jobs, [both]);
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
    const meter = await startMeter(server, jobs, fleet.workers, "kept");
    await Promise.all(fleet.workers.map((worker) => worker.call("work", concurrency, handlerMs)));
    const { first, last } = await allRan(fleet.workers, jobs);
    return { [what]: await meter.read(last - first) };
  };
}

/** Workers that listen while jobs are added in bulk: from the first addition to the last one's end. */
export function flowing(what: string, { jobs, workers, concurrency, handlerMs }: Fleet): QueueRun {
  return async (server, name) => {
    await using fleet = await startFleet(name, server, workers);
    const meter = await startMeter(server, jobs, [fleet.producer, ...fleet.workers]);
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
    const meter = await startMeter(server, jobs, [fleet.producer, ...fleet.workers]);
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

type QueueProcess = CalledProcess<Calls>;

const PROGRAM = fileURLToPath(new URL("./program.js", import.meta.url));

/** Resolves once it is connected and its code is compiled. */
async function startProcess(name: Package, { url, port }: BenchServer): Promise<QueueProcess> {
  const started = await CalledProcess.start<Calls>(PROGRAM, [name, url, String(port)]);
  await started.call("warm");
  return started;
}

/** What the server and the clients use from here on. */
async function startMeter(
  server: BenchServer,
  jobs: number,
  processes: readonly QueueProcess[],
  keys: "none" | "kept" = "none",
): Promise<Meter> {
  if (keys === "none") await server.empty();
  for (const one of processes) await one.call("open");
  return Meter.start(
    server,
    jobs,
    processes.map((one) => ({ cpu: () => one.call("cpu") })),
  );
}

interface StartedFleet extends AsyncDisposable {
  readonly producer: QueueProcess;
  readonly workers: readonly QueueProcess[];
}

async function startFleet(name: Package, server: BenchServer, workers: number): Promise<StartedFleet> {
  const [producer, ...others] = await Promise.all(
    Array.from({ length: workers + 1 }, () => startProcess(name, server)),
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
