/** What the command runs: a suite has scenarios, each on one topology and from one seed. */
import type { Topology, TopologyName } from "./servers/topology.ts";

export interface ScenarioOptions {
  readonly topology: Topology;
  readonly seed: number;
  /** How long faults happen. */
  readonly seconds: number;
  /** What is put to the test instead of the real thing, to show that the suite can fail. */
  readonly subject: string | undefined;
  /** Says what is done, as it is done. */
  readonly log: (line: string) => void;
}

/** One JSON line. */
export interface Report {
  readonly scenario: string;
  readonly ok: boolean;
  /** What is wrong, in words. */
  readonly broken: readonly string[];
  readonly [measure: string]: unknown;
}

export interface Scenario {
  readonly name: string;
  run(options: ScenarioOptions): Promise<Report>;
}

export interface Suite {
  /** In this order. The first one of each list is what a short run takes. */
  readonly scenarios: Readonly<Record<TopologyName, readonly Scenario[]>>;
  /** Large numbers rather than faults, where there is such a run; on a server of its own. */
  readonly scale?: (log: (line: string) => void) => Promise<Report>;
}
