// What could go wrong, and the test for each:
// - a history that can be explained is refused ............. "accepts ..."
// - one that cannot is accepted ............................ "refuses ..."
// - either, in a case that nobody thought of ............... "agrees with a search through all orders"
// - operations without an answer are taken for done, or not  "an operation that was never answered ..."
// - a search that was given up counts as passed ............ "says so when it gives up"
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearize, type Model, type Operation } from "./linearize.ts";

/** Of a register. */
type Op =
  | { readonly do: "write" | "read"; readonly value: number }
  | { readonly do: "swap"; readonly value: number; readonly was: number };

const register: Model<number, Op> = {
  initial: 0,
  step(state, { op }) {
    if (op.do === "read") return op.value === state ? [state] : [];
    if (op.do === "swap" && op.was !== state) return [];
    return [op.value];
  },
  key: String,
};

/** One that forgets: nothing, or all, at any write. */
const forgetful: Model<number, Op> = {
  ...register,
  step: (state, given) => (given.op.do === "write" ? [given.op.value, 0] : register.step(state, given)),
};

const write = (value: number, call: number, answer: number): Operation<Op> => ({
  call,
  answer,
  op: { do: "write", value },
});
const read = (value: number, call: number, answer: number): Operation<Op> => ({
  call,
  answer,
  op: { do: "read", value },
});

const swap = (value: number, call: number, answer: number, was: number): Operation<Op> => ({
  call,
  answer,
  op: { do: "swap", value, was },
});

const verdict = (model: Model<number, Op>, history: readonly Operation<Op>[]): string =>
  linearize(model, history).status;

describe("histories that can and cannot be explained", () => {
  it("accepts what happened one after the other", () => {
    expect(verdict(register, [write(1, 0, 1), read(1, 2, 3), write(2, 4, 5), read(2, 6, 7)])).toBe("ok");
  });

  it("accepts a read of either value while a write is under way", () => {
    expect(verdict(register, [write(1, 0, 9), read(0, 1, 2), read(1, 3, 4)])).toBe("ok");
  });

  it("refuses a read of the old value after one of the new one", () => {
    const found = linearize(register, [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)]);
    expect(found).toMatchObject({ status: "broken", operation: read(0, 3, 4), beside: [write(1, 0, 9)] });
  });

  it("refuses a read of what was overwritten before it began", () => {
    expect(verdict(register, [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)])).toBe("broken");
  });

  it("refuses two that both took the place of one value", () => {
    expect(verdict(register, [swap(1, 0, 5, 0), swap(2, 1, 6, 0)])).toBe("broken");
  });

  it("an operation that was never answered may have taken effect, much later too", () => {
    expect(verdict(register, [write(1, 0, Infinity), read(0, 1, 2), read(1, 3, 4)])).toBe("ok");
  });

  it("an operation that was never answered need not, and takes effect once at most", () => {
    expect(verdict(register, [write(1, 0, Infinity), read(0, 1, 2)])).toBe("ok");
    expect(verdict(register, [write(1, 0, Infinity), read(1, 1, 2), write(2, 3, 4), read(1, 5, 6)])).toBe("broken");
  });

  it("follows a model that leaves open what comes next", () => {
    expect(verdict(forgetful, [write(1, 0, 1), read(0, 2, 3), write(2, 4, 5), read(2, 6, 7)])).toBe("ok");
    expect(verdict(forgetful, [write(1, 0, 1), read(0, 2, 3), read(1, 4, 5)])).toBe("broken");
  });

  it("says so when it gives up", () => {
    const many = Array.from({ length: 12 }, (_, at) => write(at + 1, 0, 9));
    expect(linearize(register, [...many, read(13, 10, 11)], 50).status).toBe("undecided");
  });

  it("is not slowed down by hundreds that were never answered", () => {
    const lost = Array.from({ length: 300 }, (_, at) => swap(0, at, Infinity, at + 10));
    const reads = Array.from({ length: 300 }, (_, at) => read(at < 200 ? 299 : 0, 501 + 2 * at, 502 + 2 * at));
    expect(verdict(register, [...lost, write(299, 400, 500), ...reads])).toBe("ok");
    expect(verdict(register, [...lost, write(9, 400, 500), ...reads])).toBe("broken");
  });
});

const operation = fc
  .tuple(
    fc.integer({ min: 0, max: 12 }),
    fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 8 }) }, fc.constant(Infinity)),
    fc.oneof(
      fc.record({ do: fc.constantFrom("write" as const, "read" as const), value: fc.integer({ min: 0, max: 2 }) }),
      fc.record({
        do: fc.constant("swap" as const),
        value: fc.integer({ min: 0, max: 2 }),
        was: fc.integer({ min: 0, max: 2 }),
      }),
    ),
  )
  .map(([call, took, op]): Operation<Op> => ({ call, answer: call + took, op }));

/** Every order that keeps to the times, of all that were answered and any of the others. */
function canBeOrdered(model: Model<number, Op>, left: readonly Operation<Op>[], state: number): boolean {
  if (left.every(({ answer }) => answer === Infinity)) return true;
  return left.some((one) => {
    const rest = left.filter((other) => other !== one);
    if (rest.some(({ answer }) => answer < one.call)) return false;
    return model.step(state, one).some((after) => canBeOrdered(model, rest, after));
  });
}

it("agrees with a search through all orders", () => {
  const counts = { ok: 0, broken: 0 };
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), fc.constantFrom(register, forgetful), (history, model) => {
      const expected = canBeOrdered(model, history, model.initial) ? "ok" : "broken";
      counts[expected] += 1;
      expect(linearize(model, history).status).toBe(expected);
    }),
    { numRuns: 1_500, seed: 11 },
  );
  expect(Math.min(counts.ok, counts.broken)).toBeGreaterThan(150);
});
