/** The scenarios of a topic: which faults happen together, and how often each. */
import type { Suite } from "../suite.ts";
import { topicsScenario } from "./scenario.ts";

const PROCESSES = { kill: 6, "kill producer": 1, freeze: 3 } as const;

export const topicsSuite: Suite = {
  scenarios: {
    standalone: [
      topicsScenario("mixed", { ...PROCESSES, restart: 2, disconnect: 3, pause: 2 }),
      topicsScenario("processes", PROCESSES),
      topicsScenario("freeze", { freeze: 1 }),
      topicsScenario("flush", { flush: 1, kill: 2 }),
    ],
    cluster: [
      topicsScenario("mixed", { ...PROCESSES, failover: 2, migrate: 3, disconnect: 2, pause: 1 }),
      topicsScenario("migration", { migrate: 1 }),
      topicsScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
    sentinel: [
      topicsScenario("mixed", { ...PROCESSES, failover: 2, disconnect: 2, pause: 1 }),
      topicsScenario("crash", { ...PROCESSES, crash: 3 }),
    ],
  },
};
