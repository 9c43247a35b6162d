import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { OpClass } from "../port.ts";
import { OutcomeUnknownError } from "../../base/errors.ts";
import { setUp, SLACK_MS, TIMEOUT_MS, useFakeTime } from "../../../test/support/fake-time.ts";
import {
  closedByTransport,
  lost,
  type Outcome,
  refused,
  refusedWith,
  repliedWith,
  reply,
  type ScriptedTransport,
  type Step,
  watch,
} from "../../../test/support/scripted-transport.ts";

useFakeTime();

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.constant(refused), weight: 4 },
  { arbitrary: fc.constant(refusedWith("LOADING")), weight: 4 },
  { arbitrary: fc.constant(lost), weight: 3 },
  fc.constantFrom<Step>(repliedWith("OOM"), closedByTransport, reply("OK"), "silence", { error: new Error("odd") }),
);
const steps = fc.array(step, { maxLength: 12 });
/** What happens around the call: time passes, or a connection comes up. */
const world = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant("up" as const)), { maxLength: 12 });
const opClass = fc.constantFrom<OpClass>("read", "idempotent", "dedupable", "unsafe");

interface Run {
  readonly transport: ScriptedTransport;
  readonly outcome: Outcome<unknown> | undefined;
}

/** Plays one call up to its deadline. */
async function play(ofClass: OpClass, attempts: Step[], events: (number | "up")[]): Promise<Run> {
  const { driver, transport } = setUp(attempts);
  const outcome = watch(driver.send(["X", "k"], { op: "x", class: ofClass }, "k"));
  let left = TIMEOUT_MS + SLACK_MS;
  for (const event of events) {
    if (event === "up") transport.emit("up");
    const passed = event === "up" ? 0 : Math.min(event, left);
    await vi.advanceTimersByTimeAsync(passed);
    left -= passed;
  }
  await vi.advanceTimersByTimeAsync(left);
  return { transport, outcome: outcome() };
}

function isLost(met: Step): boolean {
  return (
    met === lost ||
    (typeof met === "object" && "error" in met && met.error instanceof Error && met.error.message === "odd")
  );
}

describe("whatever the attempts meet", () => {
  it("every call is settled by its deadline and leaves no timer", async () => {
    await fc.assert(
      fc.asyncProperty(opClass, steps, world, async (ofClass, attempts, events) => {
        const { outcome } = await play(ofClass, attempts, events);
        expect(outcome).toBeDefined();
        await vi.advanceTimersByTimeAsync(SLACK_MS);
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("an unsafe call is never attempted again after `lost`", async () => {
    await fc.assert(
      fc.asyncProperty(steps, world, async (attempts, events) => {
        const { transport } = await play("unsafe", attempts, events);
        const met = attempts.slice(0, transport.attempts.length);
        expect(met.slice(0, -1).some(isLost)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("a write is told as unknown exactly when an attempt was lost or unanswered and none was answered", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<OpClass>("idempotent", "unsafe"),
        steps,
        world,
        async (ofClass, attempts, events) => {
          const { transport, outcome } = await play(ofClass, attempts, events);
          if (outcome === undefined || "value" in outcome) return;
          const met = transport.attempts.map((_, index) => attempts[index] ?? "silence");
          const open = met.some((one) => one === "silence" || isLost(one));
          expect(outcome.error instanceof OutcomeUnknownError).toBe(open);
        },
      ),
      { numRuns: 500 },
    );
  });
});
