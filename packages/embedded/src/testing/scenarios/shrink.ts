/** Leaves out steps of a scenario for as long as the servers still differ. */
import type { Difference } from "./difference.ts";
import type { Arena } from "./run.ts";
import type { Scenario, Step } from "./scenario.ts";

export interface Finding {
  readonly scenario: Scenario;
  readonly difference: Difference;
}

/** No further run of the scenario begins after that. */
const PATIENCE_MS = 60_000;

export async function shrink(arena: Arena, found: Finding): Promise<Finding> {
  let best = withSteps(found, found.scenario.steps.slice(0, found.difference.step + 1));
  const deadline = performance.now() + PATIENCE_MS;
  for (let size = Math.ceil(best.scenario.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.scenario.steps.length && performance.now() < deadline;) {
      const { steps } = best.scenario;
      const fewer = withSteps(best, [...steps.slice(0, from), ...steps.slice(from + size)]);
      const difference = await arena.run(fewer.scenario);
      if (difference === undefined) from += size;
      else best = { scenario: fewer.scenario, difference };
    }
  }
  return best;
}

function withSteps({ scenario, difference }: Finding, steps: readonly Step[]): Finding {
  return { scenario: { ...scenario, steps }, difference };
}
