import { expect, it } from "vitest";
import { planBlows } from "./chaos.ts";

it("a seed names one plan: each kind of process once, in rising order, inside the replay", () => {
  const plan = planBlows(5_000, 7, "redis");
  expect(plan).toEqual(planBlows(5_000, 7, "redis"));
  const kills = plan.filter(({ how }) => how === "kill").map(({ target }) => target);
  expect(kills.toSorted()).toEqual(["api", "leader", "server", "worker"]);
  const frozen = plan.filter(({ how }) => how === "freeze").map(({ target }) => target);
  expect(frozen.toSorted()).toEqual(["leader", "worker"]);
  expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).toSorted((a, b) => a - b));
  expect(plan.every(({ at }) => at >= 250 && at <= 4_500)).toBe(true);
});

it("seeds give different plans", () => {
  const plans = Array.from({ length: 20 }, (_, seed) => JSON.stringify(planBlows(5_000, seed, "redis")));
  expect(new Set(plans).size).toBe(20);
});

it("the embedded server is restarted where a process would be killed; the rest of the plan is the same", () => {
  const restarting = planBlows(5_000, 7, "redis").map((blow) =>
    blow.target === "server" ? { ...blow, how: "restart" } : blow,
  );
  expect(planBlows(5_000, 7, "embedded")).toEqual(restarting);
});

it("somebody else's server is never in the plan", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    expect(planBlows(5_000, seed, undefined).map(({ target }) => target)).not.toContain("server");
  }
});
