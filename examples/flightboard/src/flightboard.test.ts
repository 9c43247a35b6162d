/** The demo as a whole: real processes on each kind of server, killed for real. */
import { connect } from "holdfast";
import { beforeAll, describe, expect, it } from "vitest";
import { startPrivateServer } from "./launcher/private-server.ts";
import { build, replayAndCheck } from "./testing/demo.ts";

const MINUTES = 60_000;

beforeAll(build, 3 * MINUTES);

describe("--once", { timeout: 15 * MINUTES }, () => {
  it("replays on the embedded server, checks every number and says so in one line", async () => {
    const { output, summary } = await replayAndCheck("--flights=1000");
    expect(output).toContain("on the embedded server");
    expect(output).toContain("board: busiest");
    expect(output).not.toContain("does not end by itself");
    // On a machine that stalls for longer than its lease a leader has a successor: then too every number is right.
    expect(summary).toMatchObject({ ok: true, flights: 1_000, wrong: 0, blows: [] });
    expect(summary.leaders).toBeGreaterThan(0);
    expect(Object.values(summary.checks).every(({ compared }) => compared > 0)).toBe(true);
  });

  it("replays on somebody else's server and leaves nothing there", async () => {
    const server = await startPrivateServer(() => undefined);
    try {
      const { output, summary } = await replayAndCheck("--flights=500", `--url=${server.url}`);
      expect(output).toContain(`on ${server.url}`);
      expect(summary).toMatchObject({ ok: true, flights: 500, wrong: 0, blows: [] });
      await using hf = await connect(server.url);
      expect(await hf.driver.send(["DBSIZE"], { op: "test", class: "read" })).toBe(0);
    } finally {
      await server.stop();
    }
  });

  it.each([
    ["embedded", "restart server", 1],
    ["redis", "kill server", 2],
  ])("passes with processes killed and frozen on --server %s, and %s, seed %i", async (kind, blow, seed) => {
    const { summary } = await replayAndCheck("--flights=2500", "--chaos", `--seed=${seed}`, `--server=${kind}`);
    expect(summary).toMatchObject({ ok: true, wrong: 0, seed });
    for (const kill of [/^kill ingest/, /^kill worker/, /^kill api/])
      expect(summary.blows).toContainEqual(expect.stringMatching(kill));
    expect(summary.blows).toContain(blow);
    expect(summary.leaders).toBeGreaterThan(1);
  });
});
