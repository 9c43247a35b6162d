/** What a suite is to the runner. */
import type { BenchServer } from "./server.ts";
import type { Contender } from "./measure.ts";

export interface Case {
  readonly name: string;
  readonly inFlight: number;
  readonly ours: Contender;
  readonly peer: Contender;
}

export interface Prepared {
  readonly cases: readonly Case[];
  /** Closes what the suite has opened. */
  close(): Promise<void>;
}

export type Suite = (server: BenchServer) => Promise<Prepared>;
