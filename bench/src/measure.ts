/**
 * Two programs in turn, A B A B ..., in one process on one server: what the machine does meanwhile hits both, and the
 * median of the pairs' ratios is what counts, not a single figure.
 */

/** One operation; `turn` counts up, for choosing a key. */
export type Operation = (turn: number) => Promise<unknown>;

export interface Contender {
  readonly name: string;
  readonly operation: Operation;
}

export interface Figures {
  /** Operations per second. */
  readonly perSecond: number;
  /** Microseconds of this process's CPU per operation, the other side's not included. */
  readonly cpuMicros: number;
}

export interface Comparison {
  readonly ours: Figures;
  readonly peer: Figures;
  /** Ours over the peer's, operations per second: above 1 is better. */
  readonly ratio: number;
  /** Ours over the peer's, CPU per operation: below 1 is better. */
  readonly cpuRatio: number;
}

export interface MeasureOptions {
  readonly inFlight: number;
  readonly rounds: number;
  readonly roundMs: number;
}

export async function compare(ours: Contender, peer: Contender, options: MeasureOptions): Promise<Comparison> {
  for (const contender of [ours, peer]) await round(contender.operation, { ...options, roundMs: options.roundMs / 2 });
  const pairs: { ours: Figures; peer: Figures }[] = [];
  for (let at = 0; at < options.rounds; at += 1) {
    pairs.push({ ours: await round(ours.operation, options), peer: await round(peer.operation, options) });
  }
  return {
    ours: typical(pairs.map((pair) => pair.ours)),
    peer: typical(pairs.map((pair) => pair.peer)),
    ratio: median(pairs.map((pair) => pair.ours.perSecond / pair.peer.perSecond)),
    cpuRatio: median(pairs.map((pair) => pair.ours.cpuMicros / pair.peer.cpuMicros)),
  };
}

/** A closed loop: `inFlight` workers, each of which begins its next operation when it has the answer to its last. */
async function round(operation: Operation, { inFlight, roundMs }: MeasureOptions): Promise<Figures> {
  let count = 0;
  let running = true;
  const worker = async (first: number): Promise<void> => {
    for (let turn = first; running; turn += inFlight) {
      await operation(turn);
      count += 1;
    }
  };
  const timer = setTimeout(() => (running = false), roundMs);
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, at) => worker(at)));
  clearTimeout(timer);
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return { perSecond: count / seconds, cpuMicros: (cpu.user + cpu.system) / count };
}

function typical(figures: readonly Figures[]): Figures {
  return {
    perSecond: median(figures.map((figure) => figure.perSecond)),
    cpuMicros: median(figures.map((figure) => figure.cpuMicros)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
