// - the page of one process shows only its own points, or a repeated request counts twice .. "whichever process is asked"
// - a week's prizes are paid by two processes, or by none after a death .................... "once, by one of them"
// - next week begins with last week's points ............................................... the same
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "holdfast/testing";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { WeeklyLeaderboard } from "./weekly-leaderboard.ts";

describe.each(backends("standalone", "embedded"))("cookbook: weekly leaderboard [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  it("shows the week's best and a player among friends, whichever process is asked", async () => {
    const prefix = `cook-${randomUUID()}`;
    const open = (): Promise<Holdfast> => connect(url, { ...options, prefix, timeout: "60s" });
    const [a, b] = [await open(), await open()];
    handles.push(a, b);
    const [here, there] = [new WeeklyLeaderboard(a, "Europe/Berlin"), new WeeklyLeaderboard(b, "Europe/Berlin")];
    await Promise.all([
      here.won("ada", 5, { name: "Ada" }, "g1"),
      there.won("ada", 5, { name: "Ada" }, "g1"),
      there.won("bob", 9, { name: "Bob" }, "g1"),
      here.won("cyd", 7, { name: "Cyd" }, "g1"),
      here.won("ada", 3, { name: "Ada" }, "g2"),
    ]);
    expect(await there.page("ada", ["cyd", "nobody"])).toEqual({
      top: ["1. Bob: 9", "2. Ada: 8", "3. Cyd: 7"],
      friends: ["1. Ada: 8", "2. Cyd: 7"],
      place: 2,
      winners: [],
    });
  });
});

it("cookbook: weekly leaderboard: prizes are paid once, by one of the processes, when the week is over", async () => {
  await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-11-29T21:00:00Z") });
  const boards = [await server.connect(), await server.connect()].map(
    (hf) => new WeeklyLeaderboard(hf, "Europe/Berlin"),
  );
  const paid: string[] = [];
  const award = async (player: string, prize: number): Promise<void> => void paid.push(`${player} ${prize}`);
  await boards[0]!.won("ada", 5, { name: "Ada" }, "g1");
  await boards[1]!.won("bob", 9, { name: "Bob" }, "g1");
  await using _one = boards[0]!.awardPrizes(award);
  await using _two = boards[1]!.awardPrizes(award);
  await server.clock.advance("1h");
  expect(paid).toEqual([]);
  await server.clock.advance("61m"); // Monday in Berlin
  expect(paid).toEqual(["bob 100", "ada 50"]);
  await boards[1]!.won("cyd", 1, { name: "Cyd" }, "g2");
  expect(await boards[0]!.page("cyd", ["bob"])).toEqual({
    top: ["1. Cyd: 1"],
    friends: ["1. Cyd: 1"],
    place: 1,
    winners: ["1. Bob: 9", "2. Ada: 5"],
  });
});
