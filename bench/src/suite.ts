/** What a suite is to the runner: programs that open in processes of their own, and which of them to set side by side. */

/** Where the server is. */
export interface Target {
  readonly url: string;
  readonly port: number;
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
