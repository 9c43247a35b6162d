// What could go wrong, and the test for each:
// - a message that was lost is not seen ................ "finds what was lost"
// - an overtaken message is not seen ................... "finds a message that began before the one in front of it had ended"
// - a commit or a claim that counted twice is not seen . "finds what one owner handled twice", "finds a delivery that two consumers had"
// - a gap that was not reported is not seen ............ "finds that a flush was not reported"
// - what nobody can promise is asked for ............... "accepts ..."
import { describe, expect, it } from "vitest";
import type { Gap, Publication, Run } from "./history.ts";
import type { Kind } from "./message.ts";
import { judge, type Verdict, type VerdictTerms } from "./verdict.ts";

const CALM: VerdictTerms = { kinds: ["ordered", "shared"], losses: [], flushes: [] };

/** Messages a, b, c of one key, published at 1, 2, 3. */
function publications(...calls: string[]): Map<string, Publication> {
  return new Map(
    calls.map((call, at) => [
      call,
      { key: "k", payload: { call, place: at + 1, fails: false }, beganAt: at, status: "ok", answeredAt: at + 1 },
    ]),
  );
}

function run(kind: Kind, call: string, startedAt: number, more: Partial<Run> = {}): Run {
  const place = { partition: 0, offset: call.charCodeAt(0), delivery: 1, fence: 1, consumer: "one" };
  return { kind, call, startedAt, end: "well", endedAt: startedAt + 1, ...place, ...more };
}

/** Handled once in each subscription, one after the other. */
const once = (...calls: string[]): Run[] =>
  calls.flatMap((call, at) => [run("ordered", call, 10 + at * 2), run("shared", call, 10 + at * 2)]);

function verdict(runs: readonly Run[], terms: VerdictTerms = CALM, gaps: readonly Gap[] = []): Verdict {
  const sorted = runs.toSorted((a, b) => a.startedAt - b.startedAt);
  return judge({ publications: publications("a", "b", "c"), runs: sorted, gaps }, terms);
}

describe("the verdict on a topic", () => {
  it("accepts what was handled in order", () => {
    expect(verdict(once("a", "b", "c"))).toMatchObject({ accepted: 3, lost: 0, outOfOrder: 0, stale: 0, broken: [] });
  });

  it("finds what was lost, unless a failover or a flush may have taken it", () => {
    const runs = once("a", "c");
    expect(verdict(runs)).toMatchObject({ lost: 2, broken: [expect.stringContaining("lost b"), expect.anything()] });
    expect(verdict(runs, { ...CALM, losses: [[2, 2]] }).broken).toEqual([]);
    const reset = (["ordered", "shared"] as const).map((kind) => ({ kind, gap: "reset", at: 9 }) as const);
    expect(verdict(runs, { ...CALM, flushes: [2] }, reset).broken).toEqual([]);
  });

  it("finds that a flush was not reported, and a gap where nothing was lost", () => {
    const terms = { ...CALM, flushes: [2] };
    expect(verdict(once("a", "b", "c"), terms).broken).toHaveLength(2);
    expect(verdict(once("a", "b", "c"), CALM, [{ kind: "shared", gap: "gap", at: 5 }]).broken).toHaveLength(1);
  });

  it("finds a message that began before the one in front of it had ended; a failed attempt is no end", () => {
    const late = run("ordered", "a", 10, { endedAt: 13 });
    expect(verdict([late, ...once("a", "b", "c").slice(1)])).toMatchObject({ outOfOrder: 1 });
    const failed = [run("ordered", "a", 5, { end: "thrown" }), run("ordered", "b", 7)];
    expect(verdict([...failed, ...once("a", "b", "c")])).toMatchObject({ outOfOrder: 1 });
  });

  it("accepts what an owner does that has not heard yet of the next one, as its fence is lower", () => {
    const next = once("a", "b", "c").map((each) => ({ ...each, fence: 2 }));
    expect(verdict([...next, run("ordered", "c", 11, { fence: 1, consumer: "frozen" })])).toMatchObject({
      outOfOrder: 0,
      duplicates: 1,
      broken: [],
    });
  });

  it("finds what one owner handled twice", () => {
    expect(verdict([...once("a", "b", "c"), run("ordered", "a", 30)])).toMatchObject({ stale: 1 });
    const again = run("ordered", "a", 30, { fence: 2 });
    expect(verdict([...once("a", "b", "c"), again])).toMatchObject({ stale: 0, duplicates: 1, broken: [] });
  });

  it("finds a delivery that two consumers had", () => {
    const again = run("shared", "a", 30, { consumer: "two" });
    expect(verdict([...once("a", "b", "c"), again])).toMatchObject({ stale: 1 });
    expect(verdict([...once("a", "b", "c"), { ...again, delivery: 2 }])).toMatchObject({ stale: 0, broken: [] });
  });
});
