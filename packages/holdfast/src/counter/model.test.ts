/** Histories of calls, some of them made in the same tick, against a Map. fast-check prints the seed of a history that differs. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Counter } from "./counter.ts";

const BOUNDS = { min: -20, max: 30 };

type Step = Change | { readonly kind: "get" | "reset"; readonly id: string };

interface Change {
  readonly kind: "increment" | "decrement";
  readonly id: string;
  readonly by: number;
  readonly once: string | undefined;
}

const id = fc.constantFrom("a", "b", "c");
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("increment" as const, "decrement" as const),
  id,
  by: fc.integer({ min: -15, max: 15 }),
  once: fc.option(fc.constantFrom("k1", "k2", "k3"), { nil: undefined, freq: 3 }),
});
const other: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom("get" as const, "reset" as const), id });
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: change }, { weight: 1, arbitrary: other }), {
  minLength: 1,
  maxLength: 40,
});

class Model {
  readonly #values = new Map<string, number>();
  readonly #receipts = new Map<string, number>();

  apply(step: Step): unknown {
    const value = this.#values.get(step.id) ?? 0;
    if (!("by" in step)) return step.kind === "get" ? value : this.#values.delete(step.id);
    const receipt = `${step.id}/${step.once}`;
    const before = step.once === undefined ? undefined : this.#receipts.get(receipt);
    if (before !== undefined) return { status: "ok", value: before };
    const sum = step.kind === "increment" ? value + step.by : value - step.by;
    if (sum < BOUNDS.min || sum > BOUNDS.max) return { status: "limit", value };
    this.#values.set(step.id, sum);
    this.#receipts.set(receipt, sum);
    return { status: "ok", value: sum };
  }
}

function perform(counter: Counter, step: Step): Promise<unknown> {
  if (!("by" in step)) return counter[step.kind](step.id);
  return counter[step.kind](step.id, step.by, step.once === undefined ? {} : { idempotencyKey: step.once });
}

describe.each(backends("standalone", "cluster", "embedded"))("counter against a model [$name]", ({ url, options }) => {
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
  });

  afterAll(() => hf?.close());

  it.each([1, 7, 40])("answers as the model does, %i calls in a tick", async (perTurn) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (history, window) => {
        const counter = hf.counter(randomUUID(), { ...BOUNDS, ...(window ? { ttl: "1h" as const } : {}) });
        const model = new Model();
        for (let at = 0; at < history.length; at += perTurn) {
          const turn = history.slice(at, at + perTurn);
          const answers = await Promise.all(turn.map((step) => perform(counter, step)));
          expect(answers).toEqual(turn.map((step) => model.apply(step)));
        }
      }),
      { numRuns: 25 },
    );
  });
});
