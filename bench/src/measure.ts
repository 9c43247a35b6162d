/**
 * Two programs in turn, A B B A ..., each in its own process, on one server: what the machine does meanwhile hits both,
 * and the median of the pairs' ratios is what counts, not a single figure.
 */
import { median } from "./median.ts";
import type { ContenderProcess } from "./process.ts";
import type { RoundOptions } from "./round.ts";
import type { BenchServer } from "./suite.ts";

export interface Figures {
  /** Operations per second. */
  readonly perSecond: number;
  /** Microseconds of the program's CPU per operation. */
  readonly cpuMicros: number;
  /** Share of one core that the server used meanwhile: near 1 it is the server that sets the pace. */
  readonly server: number;
}

export interface Comparison {
  readonly ours: Figures;
  readonly peer: Figures;
  /** Ours over the peer's, operations per second: above 1 is better. */
  readonly ratio: number;
  /** Ours over the peer's, CPU per operation: below 1 is better. */
  readonly cpuRatio: number;
}

export interface MeasureOptions extends RoundOptions {
  readonly rounds: number;
}

/** Rounds that are run and not counted: code is compiled, buffers grow. */
const WARM_UP_ROUNDS = 2;

export async function compare(
  ours: ContenderProcess,
  peer: ContenderProcess,
  server: BenchServer,
  { rounds, ...options }: MeasureOptions,
): Promise<Comparison> {
  for (let at = 0; at < WARM_UP_ROUNDS; at += 1) for (const contender of [ours, peer]) await contender.run(options);
  const pairs: { ours: Figures; peer: Figures }[] = [];
  for (let at = 0; at < rounds; at += 1) pairs.push(await pair(ours, peer, server, options, at % 2 === 0));
  return {
    ours: typical(pairs.map((pair) => pair.ours)),
    peer: typical(pairs.map((pair) => pair.peer)),
    ratio: median(pairs.map((pair) => pair.ours.perSecond / pair.peer.perSecond)),
    cpuRatio: median(pairs.map((pair) => pair.ours.cpuMicros / pair.peer.cpuMicros)),
  };
}

/** Who begins changes from pair to pair, so that a drift of the machine favours nobody. */
async function pair(
  ours: ContenderProcess,
  peer: ContenderProcess,
  server: BenchServer,
  options: RoundOptions,
  oursFirst: boolean,
): Promise<{ ours: Figures; peer: Figures }> {
  if (oursFirst) return { ours: await measured(ours, server, options), peer: await measured(peer, server, options) };
  const figures = await measured(peer, server, options);
  return { ours: await measured(ours, server, options), peer: figures };
}

async function measured(contender: ContenderProcess, server: BenchServer, options: RoundOptions): Promise<Figures> {
  const cpuBefore = await server.cpuSeconds();
  const began = performance.now();
  const { perSecond, cpuMicros } = await contender.run(options);
  const seconds = (performance.now() - began) / 1000;
  return { perSecond, cpuMicros, server: ((await server.cpuSeconds()) - cpuBefore) / seconds };
}

function typical(figures: readonly Figures[]): Figures {
  return {
    perSecond: median(figures.map((figure) => figure.perSecond)),
    cpuMicros: median(figures.map((figure) => figure.cpuMicros)),
    server: median(figures.map((figure) => figure.server)),
  };
}
