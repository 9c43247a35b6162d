import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

function withdrawals(budget: RetryBudget): number {
  let count = 0;
  while (budget.withdraw()) count += 1;
  return count;
}

describe("the retry budget", () => {
  it("starts full and ends when it is spent", () => {
    expect(withdrawals(new RetryBudget(10))).toBe(10);
  });

  it("earns one retry with every fifth call", () => {
    const budget = new RetryBudget(10);
    withdrawals(budget);
    for (let call = 0; call < 24; call++) budget.deposit();
    expect(withdrawals(budget)).toBe(4);
    budget.deposit();
    expect(withdrawals(budget)).toBe(1);
  });

  it("never holds more than its capacity", () => {
    const budget = new RetryBudget(2);
    for (let call = 0; call < 1_000; call++) budget.deposit();
    expect(withdrawals(budget)).toBe(2);
  });

  it("of nothing allows nothing", () => {
    const budget = new RetryBudget(0);
    for (let call = 0; call < 1_000; call++) budget.deposit();
    expect(budget.withdraw()).toBe(false);
  });
});
