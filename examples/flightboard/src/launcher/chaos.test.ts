import { expect, test } from "vitest";
import { planBlows } from "./chaos.ts";

test("a seed names one plan: each kind of process once, in rising order, inside the replay", () => {
  const plan = planBlows(5_000, 7, true);
  expect(plan).toEqual(planBlows(5_000, 7, true));
  const kills = plan.filter(({ how }) => how === "kill").map(({ target }) => target);
  expect(kills.toSorted()).toEqual(["api", "leader", "server", "worker"]);
  const frozen = plan.filter(({ how }) => how === "freeze").map(({ target }) => target);
  expect(frozen.toSorted()).toEqual(["leader", "worker"]);
  expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).toSorted((a, b) => a - b));
  expect(plan.every(({ at }) => at >= 250 && at <= 4_500)).toBe(true);
});

test("seeds give different plans", () => {
  const plans = Array.from({ length: 20 }, (_, seed) => JSON.stringify(planBlows(5_000, seed, true)));
  expect(new Set(plans).size).toBe(20);
});

test("somebody else's server is never in the plan", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    expect(planBlows(5_000, seed, false).map(({ target }) => target)).not.toContain("server");
  }
});
