/** What a suite is to the runner: programs that open in processes of their own, and which of them to set side by side. */

/** Where the server is. */
export interface Target {
  readonly url: string;
  readonly port: number;
}

export interface BenchServer extends Target {
  readonly version: string;
  /** CPU that its main thread and its others have used so far. */
  cpuSeconds(): Promise<number>;
  /** So far: its CPU, and that of its scripts by its own count; and the memory that it has in use now. */
  usage(): Promise<{ readonly cpuMicros: number; readonly scriptMicros: number; readonly bytes: number }>;
  /** Removes all keys. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

/** One operation; `turn` counts up, for choosing a key. */
export type Operation = (turn: number) => Promise<unknown>;

/** Connects, stores what it will ask for, and answers with the operation. It ends with its process. */
export type Contender = (target: Target) => Promise<Operation>;

/** Thrown by a contender that cannot be had on this machine. Its cases are left out, and the report says so. */
export class Skipped extends Error {
  override readonly name: string = "Skipped";
}

export interface Case {
  readonly name: string;
  /** Operations that are begun and not yet answered at any moment. */
  readonly inFlight: number;
  /** Names of contenders. */
  readonly ours: string;
  readonly peer: string;
}

export interface Suite {
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly cases: readonly Case[];
}

/** How a suite is to be measured; undefined: as it likes. */
export interface RunOptions {
  readonly rounds: number | undefined;
  readonly jobs: number | undefined;
  readonly isQuick: boolean;
  /** Part of the names of the wanted cases. */
  readonly text: string;
}

/** Two figures side by side. Ratios are ours over the peer's: of a rate above 1 is better, of all others below 1. */
export interface Row {
  readonly case: string;
  readonly peerName: string;
  readonly unit: "jobs/s" | "messages/s" | "ms";
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  /** Clients' CPU per job or message. */
  readonly cpuRatio: number | undefined;
  /** Server's CPU per job or message. */
  readonly serverUsRatio: number | undefined;
  /** The scripts' part of it. */
  readonly scriptUsRatio: number | undefined;
  /** Memory per job or message that waits. */
  readonly memoryRatio: number | undefined;
  readonly oursCpuMicros: number | undefined;
  readonly peerCpuMicros: number | undefined;
  readonly oursServerMicros: number | undefined;
  readonly peerServerMicros: number | undefined;
  readonly oursScriptMicros: number | undefined;
  readonly peerScriptMicros: number | undefined;
  readonly oursBytes: number | undefined;
  readonly peerBytes: number | undefined;
}

/** A suite that has its own way of measuring, and its own processes. */
export interface MeasuredSuite {
  measure(server: BenchServer, options: RunOptions): AsyncIterable<Row>;
}

/** Every one of ours against every peer, at each number of operations in flight. */
export function sideBySide(
  what: string,
  inFlight: readonly number[],
  ours: readonly string[],
  peers: readonly string[],
): Case[] {
  return inFlight.flatMap((inFlight) =>
    ours.flatMap((ours) =>
      peers.map((peer) => ({ name: `${what}, ${inFlight} in flight: ${ours} / ${peer}`, inFlight, ours, peer })),
    ),
  );
}
