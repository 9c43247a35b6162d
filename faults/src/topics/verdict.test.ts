// What could go wrong, and the test for each:
// - a message that was lost is not seen ................ "finds what was lost"
// - an overtaken message is not seen ................... "finds a message that began before the one in front of it had ended"
// - a commit or a claim that counted twice is not seen . "finds what one owner handled twice", "finds a delivery that two consumers had"
// - an acknowledgement that was stale counts ........... "finds that the acknowledgement of a former delivery"
// - more is handled again than there is a reason for ... "finds that shared messages are handled again"
// - dead letters are lost, or made twice ............... "finds a dead letter"
// - a gap that was not reported is not seen ............ "finds that a flush was not reported", "a consumer that is not told"
// - a failover excuses what it cannot have lost ........ "what all replicas had"
// - what nobody can promise is asked for ............... "accepts ..."
import { describe, expect, it } from "vitest";
import type { Gap, Letter, Publication, Run } from "./history.ts";
import type { Kind } from "./message.ts";
import { judge, type Verdict, type VerdictTerms } from "./verdict.ts";

const CALM: VerdictTerms = { losses: [], flushes: [], faults: {}, unasked: 0 };

const GAP = { partition: 0, consumer: "one" } as const;

/** Messages a, b, c of one key, published at 1, 2, 3. */
function publications(...calls: string[]): Map<string, Publication> {
  return new Map(
    calls.map((call, at) => [
      call,
      {
        key: "k",
        payload: { call, place: at + 1, fails: false, rejects: false },
        beganAt: at,
        status: "ok",
        answeredAt: at + 0.5,
        isReplicated: false,
      },
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

function verdict(
  runs: readonly Run[],
  terms: VerdictTerms = CALM,
  gaps: readonly Gap[] = [],
  letters: readonly Letter[] = [],
): Verdict {
  const sorted = runs.toSorted((a, b) => a.startedAt - b.startedAt);
  return judge({ publications: publications("a", "b", "c"), runs: sorted, gaps, letters }, terms);
}

describe("the verdict on a topic", () => {
  it("accepts what was handled in order", () => {
    expect(verdict(once("a", "b", "c"))).toMatchObject({ accepted: 3, lost: 0, outOfOrder: 0, stale: 0, broken: [] });
  });

  it("finds what was lost, unless a failover or a flush may have taken it", () => {
    const runs = once("a", "c");
    expect(verdict(runs)).toMatchObject({ lost: 2, broken: [expect.stringContaining("lost b"), expect.anything()] });
    expect(verdict(runs, { ...CALM, losses: [[1.5, 1.5]] }).broken).toEqual([]);
    const reset = (["ordered", "shared"] as const).map((kind) => ({ ...GAP, kind, gap: "reset", at: 9 }) as const);
    expect(verdict(runs, { ...CALM, flushes: [2] }, reset).broken).toEqual([]);
  });

  it("finds that a flush was not reported, and a gap where nothing was lost", () => {
    const terms = { ...CALM, flushes: [12.5] };
    expect(verdict(once("a", "b", "c"), terms).broken).toHaveLength(2);
    // Nobody had handled anything by then.
    expect(verdict(once("a", "b", "c"), { ...CALM, flushes: [2] }).broken).toEqual([]);
    expect(verdict(once("a", "b", "c"), CALM, [{ ...GAP, kind: "shared", gap: "gap", at: 5 }]).broken).toHaveLength(1);
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
      duplicates: { ordered: 1 },
      broken: [],
    });
  });

  it("finds what one owner handled twice", () => {
    expect(verdict([...once("a", "b", "c"), run("ordered", "a", 30)])).toMatchObject({ stale: 1 });
    const again = run("ordered", "a", 30, { fence: 2 });
    expect(verdict([...once("a", "b", "c"), again])).toMatchObject({
      stale: 0,
      duplicates: { ordered: 1 },
      broken: [],
    });
  });

  it("finds a delivery that two consumers had", () => {
    const again = run("shared", "a", 30, { consumer: "two" });
    expect(verdict([...once("a", "b", "c"), again])).toMatchObject({ stale: 1 });
    const second = verdict([...once("a", "b", "c"), { ...again, delivery: 2 }], { ...CALM, faults: { kill: 1 } });
    expect(second).toMatchObject({ stale: 0, duplicates: { shared: 1 }, broken: [] });
  });

  it("finds that shared messages are handled again though no consumer died, stood still or was cut off", () => {
    const again = run("shared", "a", 30, { consumer: "two", delivery: 2 });
    expect(verdict([...once("a", "b", "c"), again]).broken).toEqual([expect.stringContaining("1 duplicates")]);
  });

  it("finds that the acknowledgement of a former delivery has settled a message which the newest has not handled", () => {
    const former = run("shared", "a", 10, { endedAt: 20 });
    const newest = run("shared", "a", 15, { consumer: "two", delivery: 2, end: "thrown" });
    const runs = [run("ordered", "a", 5), former, newest, ...once("b", "c")];
    expect(verdict(runs)).toMatchObject({ stale: 1 });
    const later = run("shared", "a", 30, { delivery: 3 });
    expect(verdict([...runs, later], { ...CALM, faults: { stop: 1 } })).toMatchObject({ stale: 0, broken: [] });
  });

  it("finds a dead letter that nobody has asked for, and one that is missing", () => {
    const letter = { kind: "shared", call: "a" } as const;
    expect(verdict(once("a", "b", "c"), CALM, [], [letter]).broken).toHaveLength(1);
    const rejected = once("a", "b", "c").map((each) =>
      each.call === "a" ? { ...each, end: "rejected" as const } : each,
    );
    const both = [letter, { ...letter, kind: "ordered" }] as const;
    expect(verdict(rejected, CALM, [], both)).toMatchObject({ lost: 0, dead: 2, broken: [] });
    expect(verdict(rejected, CALM, [], [...both, letter]).broken).toHaveLength(1);
  });

  it("finds that what all replicas had is lost by a failover, and a consumer that is not told of what was lost", () => {
    const losses = [[0, 9]] as const;
    const all = publications("a", "b", "c");
    const terms = { ...CALM, losses };
    const history = { runs: once("a", "c"), gaps: [], letters: [] };
    expect(judge({ ...history, publications: all }, terms).broken).toEqual([]);
    all.get("b")!.isReplicated = true;
    expect(judge({ ...history, publications: all }, terms)).toMatchObject({ lost: 2 });
    const replaced = [run("shared", "a", 10, { offset: 1 }), run("shared", "c", 20, { offset: 1 })];
    expect(verdict(replaced, terms).broken).toEqual([expect.stringContaining("one was not told that a")]);
    expect(verdict(replaced, terms, [{ ...GAP, kind: "shared", gap: "reset", at: 15 }]).broken).toEqual([]);
  });
});
