/** One round of one contender, measured in its own process. */
import type { Operation } from "./suite.ts";

export interface RoundOptions {
  readonly inFlight: number;
  readonly roundMs: number;
}

export interface Round {
  /** Operations per second. */
  readonly perSecond: number;
  /** Microseconds of the process's CPU per operation, all its threads (garbage collection too). */
  readonly cpuMicros: number;
}

const TURN = 1_000;

/** A closed loop: `inFlight` workers, each of which begins its next operation when it has the answer to its last. */
export async function runRound(operation: Operation, { inFlight, roundMs }: RoundOptions): Promise<Round> {
  let count = 0;
  const loop = { running: true };
  const worker = async (first: number): Promise<void> => {
    for (let turn = first; loop.running; turn += inFlight) {
      await operation(turn);
      count += 1;
      // What is answered from memory never lets timers run.
      if (count % TURN === 0) await new Promise(setImmediate);
    }
  };
  setTimeout(() => (loop.running = false), roundMs);
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, at) => worker(at)));
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return { perSecond: count / seconds, cpuMicros: (cpu.user + cpu.system) / count };
}
