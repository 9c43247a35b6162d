/** The scenarios of a queue: which faults happen together, and how often each. */
import type { Suite } from "../suite.ts";
import { scale } from "./scale.ts";
import { queueScenario } from "./scenario.ts";

const PROCESSES = { kill: 6, "kill producer": 1, freeze: 2 } as const;

export const queueSuite: Suite = {
  scale,
  scenarios: {
    standalone: [
      queueScenario("mixed", { ...PROCESSES, restart: 2, disconnect: 3, pause: 2 }),
      queueScenario("processes", PROCESSES),
      queueScenario("freeze", { freeze: 1 }),
      queueScenario("server", { restart: 2, disconnect: 4, pause: 2 }),
    ],
    cluster: [
      queueScenario("mixed", { ...PROCESSES, failover: 2, migrate: 3, disconnect: 2, pause: 1 }),
      queueScenario("migration", { migrate: 1 }),
      queueScenario("failover", { failover: 1 }),
      queueScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
    sentinel: [
      queueScenario("mixed", { ...PROCESSES, failover: 2, disconnect: 2, pause: 1 }),
      queueScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
  },
};
