/** The scenarios of topics: which faults happen together, and how often each. */
import type { Suite } from "../suite.ts";
import { topicsScenario } from "./scenario.ts";

const PROCESSES = { kill: 6, "kill producer": 1, freeze: 2, stop: 2 } as const;

export const topicsSuite: Suite = {
  scenarios: {
    standalone: [
      topicsScenario("mixed", { ...PROCESSES, restart: 2, disconnect: 3, pause: 2 }),
      topicsScenario("processes", PROCESSES),
      topicsScenario("freeze", { freeze: 1, stop: 1 }),
      topicsScenario("flush", { flush: 1, kill: 2 }),
    ],
    cluster: [
      topicsScenario("mixed", { ...PROCESSES, failover: 2, migrate: 3, disconnect: 2, pause: 1 }),
      topicsScenario("migration", { migrate: 1 }),
      topicsScenario("crash", { ...PROCESSES, crash: 3 }),
      topicsScenario("lose", { kill: 1, lose: 3 }),
      topicsScenario("hang", { kill: 2, hang: 3 }),
      topicsScenario("flush", { flush: 1, kill: 2 }),
    ],
    sentinel: [
      topicsScenario("mixed", { ...PROCESSES, failover: 2, disconnect: 2, pause: 1 }),
      topicsScenario("crash", { ...PROCESSES, crash: 3 }),
      topicsScenario("failover", { failover: 1 }),
      topicsScenario("lose", { kill: 1, lose: 3 }),
      topicsScenario("hang", { kill: 2, hang: 3 }),
      topicsScenario("flush", { flush: 1, kill: 2 }),
    ],
  },
};
