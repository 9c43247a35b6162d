// What could go wrong, and the test for each:
// - a history that is right is refused ...................... "accepts ..."
// - two hold what one may ................................... "finds two holders ...", "... permits", "... beside a writer"
// - a fence or a term that does not rise .................... "finds a fence that does not rise", "finds two leaders of one term"
// - a fault excuses more than it can have done .............. "a flush excuses ..."
// - a latch or a barrier lets somebody through too early .... "finds a latch ...", "finds a barrier ..."
import { describe, expect, it } from "vitest";
import type { Asked, Entry, Result } from "./entry.ts";
import { readHistory } from "./history.ts";
import { judge } from "./verdict.ts";

const TTL_MS = 1_000;
const MS = 1_000;

/** The ledger of one process, with times in milliseconds. */
class Process {
  readonly entries: Entry[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  call(call: string, [at, answeredAt]: readonly [number, number?], asked: Asked, result?: Result): this {
    const id = `${this.#name}.${call}`;
    this.entries.push({ what: "called", at: at * MS, call: id, asked });
    if (answeredAt !== undefined)
      this.entries.push({ what: "answered", at: answeredAt * MS, call: id, result: result! });
    return this;
  }

  believes(call: string, at: number, remainingMs: number): this {
    const times = { from: at * MS, to: at * MS };
    const held = remainingMs > 0;
    this.entries.push({ what: "believed", hold: `${this.#name}.${call}`, ...times, held, aborted: !held, remainingMs });
    return this;
  }

  acquires(
    call: string,
    times: readonly [number, number],
    wanted: Partial<Asked> & { on: string },
    fence?: number,
  ): this {
    return this.call(call, times, { do: "acquire", ...wanted } as Asked, { status: "ok", fence });
  }

  releases(call: string, times: readonly [number, number?], on: string, status: Result["status"] = "ok"): this {
    return this.call(`${call}-end`, times, { do: "release", on, hold: `${this.#name}.${call}` }, { status });
  }
}

function broken(
  processes: readonly Process[],
  flushes: [number, number][] = [],
  losses: [number, number][] = [],
): string[] {
  const spans = (of: [number, number][]): [number, number][] => of.map(([from, to]) => [from * MS, to * MS]);
  const ledgers = new Map(processes.map((process, at) => [`p${at}`, process.entries]));
  const terms = { ttlMs: TTL_MS, flushes: spans(flushes), losses: spans(losses) };
  return judge(readHistory(ledgers, [...terms.flushes, ...terms.losses], TTL_MS), terms).broken;
}

const LOCK = { on: "lock:a" };
const first = (): Process => new Process("p0").acquires("h", [0, 1], LOCK, 10).believes("h", 2, 990);

describe("what is held by one", () => {
  it("accepts one after the other, and one that comes when a dead holder's ttl is over", () => {
    const second = new Process("p1").acquires("h", [3, 1_005], LOCK, 11).believes("h", 1_006, 900);
    expect(broken([first(), second.releases("h", [1_100, 1_101], LOCK.on)])).toEqual([]);
    expect(broken([first().releases("h", [5, 6], LOCK.on), new Process("p1").acquires("h", [3, 7], LOCK, 11)])).toEqual(
      [],
    );
  });

  it("finds two holders, one of whom has come before the other's ttl was over", () => {
    const second = new Process("p1").acquires("h", [3, 500], LOCK, 11);
    expect(broken([first(), second])).toEqual([expect.stringMatching("^lock:a: acquired p1.h")]);
  });

  it("finds a holder that believes when another has come", () => {
    const second = new Process("p1").acquires("h", [3, 1_005], LOCK, 11);
    expect(broken([first().believes("h", 1_010, 5), second])).toHaveLength(1);
  });

  it("finds a fence that does not rise", () => {
    const second = new Process("p1").acquires("h", [7, 8], LOCK, 10);
    expect(broken([first().releases("h", [5, 6], LOCK.on), second])).toHaveLength(1);
  });

  it("finds a hold that its holder was told to have lost, and had not", () => {
    expect(broken([first().releases("h", [5, 6], LOCK.on, "expired")])).toHaveLength(1);
  });

  it("a release that was never answered may have happened", () => {
    const second = new Process("p1").acquires("h", [7, 8], LOCK, 11);
    expect(broken([first().releases("h", [5], LOCK.on), second])).toEqual([]);
  });

  it("those of one owner share it, with one fence, and keep others out", () => {
    const mine = { ...LOCK, owner: "me" };
    const joins = (fence: number): Process => new Process("p1").acquires("h", [3, 4], mine, fence);
    const held = new Process("p0").acquires("h", [0, 1], mine, 10).believes("h", 2, 990);
    expect(broken([held, joins(10)])).toEqual([]);
    expect(broken([held, joins(11)])).toHaveLength(1);
    expect(broken([held, new Process("p2").acquires("h", [3, 4], { ...LOCK, owner: "you" }, 11)])).toHaveLength(1);
  });

  it("accepts what was taken over or ended by force, and finds a fence below the one that it raised", () => {
    const force = new Process("p1").call(
      "f",
      [5, 6],
      { do: "force", ...LOCK },
      { status: "ok", fence: 10, raisedTo: 20 },
    );
    expect(broken([first().believes("h", 300, 600), force, new Process("p2").acquires("h", [7, 8], LOCK, 21)])).toEqual(
      [],
    );
    expect(broken([first(), force, new Process("p2").acquires("h", [7, 8], LOCK, 15)])).toHaveLength(1);
    const resume = { do: "resume", ...LOCK, hold: "p0.h" } as const;
    const resumed = new Process("p1").call("r", [5, 6], resume, { status: "ok", fence: 12 }).believes("r", 7, 900);
    expect(broken([first().releases("h", [8, 9], LOCK.on, "stolen"), resumed])).toEqual([]);
  });

  it("accepts a take-over whose answer was lost and which is refused when it is sent again, and none that was answered at once", () => {
    const resume = { do: "resume", ...LOCK, hold: "p0.h" } as const;
    const taken = (answeredAt: number): Process =>
      new Process("p1").call("r", [5, answeredAt], resume, { status: "stolen" });
    const told = (): Process => first().releases("h", [8, 9], LOCK.on, "stolen");
    expect(broken([told(), taken(1_100)])).toEqual([]);
    expect(broken([told(), taken(10)])).toHaveLength(1);
  });

  it("a flush excuses a holder that believes until its ttl is over, and no longer", () => {
    const second = new Process("p1").acquires("h", [20, 21], LOCK, 11).believes("h", 22, 900);
    expect(broken([first().believes("h", 300, 600), second], [[10, 11]])).toEqual([]);
    expect(broken([first().believes("h", 700, 600), second], [[10, 11]])).toHaveLength(1);
    const lower = new Process("p1").acquires("h", [20, 21], LOCK, 9);
    expect(broken([first(), lower], [[10, 11]])).toHaveLength(1);
  });
});

describe("what is held by several", () => {
  it("finds more permits held than there are", () => {
    const holder = (at: number, weight: number): Process =>
      new Process(`p${at}`)
        .acquires("h", [at, at + 1], { on: "semaphore:s", weight }, at + 1)
        .believes("h", at + 1, 900);
    expect(broken([holder(0, 2), holder(1, 1)])).toEqual([]);
    expect(broken([holder(0, 2), holder(1, 2)])).toHaveLength(1);
  });

  it("finds a reader beside a writer, and not one beside a writer that reads on", () => {
    const on = "rwlock:r";
    const writer = (): Process =>
      new Process("p0").acquires("h", [0, 1], { on, mode: "write" }, 10).believes("h", 1, 900);
    const reader = new Process("p1").acquires("h", [5, 6], { on, mode: "read" }, 10);
    expect(broken([writer(), reader])).toHaveLength(1);
    const downgrade = { do: "downgrade", on, hold: "p0.h" } as const;
    expect(broken([writer().call("d", [2, 3], downgrade, { status: "ok" }), reader])).toEqual([]);
  });

  it("finds two leaders of one term", () => {
    const on = "election:e";
    const leader = new Process("p0").acquires("h", [0, 1], { on }, 10).believes("h", 2, 900);
    leader.entries.push({ what: "observed", on, term: 10, leader: "p9" });
    expect(broken([leader])).toEqual([expect.stringMatching("leader of term 10")]);
  });
});

describe("where processes meet", () => {
  it("finds a latch that opens before enough have counted down", () => {
    const counted = (remaining: number): Result => ({ status: "ok", round: 5, remaining });
    const counts = (at: number, remaining: number): Process =>
      new Process(`p${at}`).call("c", [at, at + 1], { do: "count", on: "latch:g", id: `p${at}` }, counted(remaining));
    const waits = new Process("w").call("w", [0, 5], { do: "wait", on: "latch:g" }, { status: "ok", round: 5 });
    expect(broken([counts(0, 2), counts(1, 1), counts(2, 0), waits])).toEqual([]);
    expect(broken([counts(0, 2), counts(1, 1), waits])).toHaveLength(1);
    expect(broken([counts(0, 2), counts(1, 2)])).toHaveLength(1);
    // It was told again, when the other had counted down.
    const told = new Process("p0").call("c", [0, 3], { do: "count", on: "latch:g", id: "p0" }, counted(1));
    expect(broken([told, counts(1, 1)])).toEqual([]);
  });

  it("finds a barrier that lets in or out before all are there", () => {
    const on = "barrier:b";
    const party = (at: number, enters: number, leaves: number, left: number): Process =>
      new Process(`p${at}`)
        .call("e", [enters, 10], { do: "enter", on }, { status: "ok", round: 1 })
        .call("l", [leaves, left], { do: "leave", on, hold: `p${at}.e` }, { status: "ok" });
    expect(broken([party(0, 0, 12, 16), party(1, 1, 13, 16), party(2, 2, 15, 16)])).toEqual([]);
    expect(broken([party(0, 0, 12, 16), party(1, 1, 13, 16)])).not.toEqual([]);
    const passing = (at: number, round: number, answered: number): Process =>
      new Process(`p${at}`).call("e", [at, answered], { do: "enter", on }, { status: "ok", round });
    const given = party(0, 0, 12, 16).entries.slice(0, 3);
    const alone = Object.assign(new Process("p0"), { entries: given });
    // Let in and not heard: when they ask again their round is broken, and they enter the next one.
    const next = [passing(1, 2, 30), passing(2, 2, 30), passing(3, 2, 30)];
    const left = alone.call("l", [12, 16], { do: "leave", on, hold: "p0.e" }, { status: "broken" });
    expect(broken([left, ...next])).toEqual([]);
    expect(broken([party(0, 0, 12, 16), ...next])).not.toEqual([]);
    expect(broken([party(0, 0, 12, 14), party(1, 1, 13, 16), party(2, 2, 15, 16)])).toHaveLength(1);
  });
});
