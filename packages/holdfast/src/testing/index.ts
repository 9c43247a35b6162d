/** For tests: a server in this process with faults and virtual time, and deterministic simulation. */
export { simulate, SimulationError } from "./simulation/simulate.ts";
export type { SimulateOptions, SimulationReport } from "./simulation/simulate.ts";
export type { FaultOptions } from "./simulation/faults.ts";
export type { Simulation } from "./simulation/schedule.ts";
export type { SimulatedCluster } from "./simulation/cluster.ts";
export type { SimulatedClient } from "./simulation/client.ts";
export type { SimulatedServer, Survivors } from "./simulation/server.ts";
export { assertAdded, type ExpectedJob, jobsOf } from "./jobs.ts";
export { drain } from "./drain.ts";
export { createTestServer } from "./test-server.ts";
export type { TestServer, TestServerOptions } from "./test-server.ts";
export type { Fault, Faults } from "./faults.ts";
export type { TestClock } from "./test-clock.ts";
export type { Direction } from "./test-network.ts";
