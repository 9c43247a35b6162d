/** The scenarios of locks, semaphores, elections and their like: which faults happen together, and how often each. */
import type { Suite } from "../suite.ts";
import { coordinationScenario } from "./scenario.ts";

const PROCESSES = { kill: 4, freeze: 2, stop: 3 } as const;

export const coordinationSuite: Suite = {
  scenarios: {
    standalone: [
      coordinationScenario("mixed", { ...PROCESSES, restart: 2, disconnect: 2, pause: 2, flush: 2 }),
      coordinationScenario("processes", PROCESSES),
      coordinationScenario("freeze", { freeze: 1, stop: 2 }),
      coordinationScenario("server", { restart: 2, disconnect: 3, pause: 2 }),
      coordinationScenario("flush", { flush: 2, kill: 1 }),
    ],
    cluster: [
      coordinationScenario("mixed", { ...PROCESSES, failover: 2, migrate: 3, disconnect: 2, pause: 1 }),
      coordinationScenario("migration", { migrate: 1 }),
      coordinationScenario("failover", { failover: 1 }),
      coordinationScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
    sentinel: [
      coordinationScenario("mixed", { ...PROCESSES, failover: 2, disconnect: 2, pause: 1 }),
      coordinationScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
  },
};
