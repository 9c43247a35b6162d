// What could go wrong, and the test for each:
// - a machine that stalls makes a run fail in which nothing is wrong .. "a leader that has a successor is no fault"
// - a flight that is missing, or was published twice, is passed over .. "are heard once each"
// - a deposed leader's flights come after its successor's ............. "fences only rise"
import { describe, expect, it } from "vitest";
import { checkNews, type Heard } from "./news.ts";

const FLIGHTS = 3;

function heard(more: Partial<Heard>): Heard {
  const times = new Map([0, 1, 2].map((flight) => [flight, 1]));
  return { times, fences: [7], gaps: 0, settle: () => Promise.resolve(), ...more };
}

const wrong = async (more: Partial<Heard>): Promise<number> => (await checkNews(heard(more), FLIGHTS)).wrong;

describe("live events", () => {
  it("a leader that has a successor is no fault; fences only rise", async () => {
    expect(await wrong({})).toBe(0);
    expect(await wrong({ fences: [7, 8] })).toBe(0);
    expect(await wrong({ fences: [8, 7] })).toBe(1);
  });

  it("all flights are heard once each, whatever dies", async () => {
    expect(await wrong({ times: new Map([[0, 1]]), gaps: 1 })).toBe(2);
    const twice = new Map([0, 1, 2].map((flight) => [flight, flight === 0 ? 2 : 1]));
    expect(await wrong({ times: twice, fences: [7, 8] })).toBe(1);
  });
});
