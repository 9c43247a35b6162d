/** The runs of the benchmark, each of one kind of stream with processes of its own, on a server that is empty before each. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CalledProcess } from "../called.ts";
import { type MeasuredFigures, Meter, type Metered } from "../meter.ts";
import type { BenchServer } from "../suite.ts";
import type { StreamName } from "./port.ts";
import type { Calls } from "./program.ts";

export type StreamRun = (server: BenchServer, name: StreamName) => Promise<Readonly<Record<string, MeasuredFigures>>>;

const PROGRAM = fileURLToPath(new URL("./program.js", import.meta.url));
const LOOK_MS = 20;
/** So many in flight where it is not what is measured. */
const FILLING = 500;

type StreamProcess = CalledProcess<Calls>;

export function publishing(what: string, messages: number, inFlight: number): StreamRun {
  return async (server, name) => {
    await using publisher = await start(name, server);
    await server.empty();
    const meter = await Meter.start(server, messages, [metered(publisher)]);
    const { began, ended } = await publisher.call("publish", messages, inFlight);
    return { [what]: await meter.read(ended - began, true) };
  };
}

/** Messages that are there already: from the first one's handler to the last one's. */
export function consuming(what: string, messages: number, inFlight: number = FILLING): StreamRun {
  return async (server, name) => {
    await using publisher = await start(name, server);
    await using consumer = await start(name, server);
    await server.empty();
    await publisher.call("publish", messages, inFlight);
    const meter = await Meter.start(server, messages, [metered(consumer)]);
    await consumer.call("consume");
    const { first, last } = await allConsumed(consumer, messages);
    return { [what]: await meter.read(last - first) };
  };
}

/** From `publish` to the handler, of messages that come to an idle consumer of another process. */
export function delivering(what: string, messages: number): StreamRun {
  return async (server, name) => {
    await using publisher = await start(name, server);
    await using consumer = await start(name, server);
    await server.empty();
    await consumer.call("consume");
    const meter = await Meter.start(server, messages, [metered(publisher), metered(consumer)]);
    await publisher.call("publishLone", messages);
    await allConsumed(consumer, messages);
    const { value: _, ...used } = await meter.read(1);
    const sorted = (await consumer.call("latencies")).toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!;
    return { [`${what}, median`]: { ...used, value: at(0.5) }, [`${what}, p99`]: { value: at(0.99) } };
  };
}

async function start(name: StreamName, { url, port }: BenchServer): Promise<StreamProcess> {
  const started = await CalledProcess.start<Calls>(PROGRAM, [name, url, String(port)]);
  await started.call("warm");
  return started;
}

function metered(process: StreamProcess): Metered {
  return { cpu: () => process.call("cpu") };
}

async function allConsumed(consumer: StreamProcess, messages: number): Promise<{ first: number; last: number }> {
  for (;;) {
    const { count, first, last } = await consumer.call("consumed");
    if (count >= messages) return { first, last };
    await sleep(LOOK_MS);
  }
}
