/** The demo as a whole: real processes on each kind of server, killed for real, and the page in a real browser. */
import { connect } from "holdfast";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { startPrivateServer } from "./launcher/private-server.ts";
import { ensureChromium, openBrowser } from "./testing/chromium.ts";
import { build, replayAndCheck, type RunningDemo, startDemo } from "./testing/demo.ts";

const MINUTES = 60_000;

beforeAll(build, 3 * MINUTES);

describe("--once", { timeout: 5 * MINUTES }, () => {
  test("replays on the embedded server, checks every number and says so in one line", async () => {
    const { output, summary } = await replayAndCheck("--flights=2000");
    expect(output).toContain("on the embedded server");
    expect(output).toContain("board: busiest");
    expect(output).not.toContain("does not end by itself");
    expect(summary).toMatchObject({ ok: true, flights: 2_000, wrong: 0, blows: [], leaders: 1 });
    expect(Object.values(summary.checks).every(({ compared }) => compared > 0)).toBe(true);
  });

  test("replays on somebody else's server and leaves nothing there", async () => {
    const server = await startPrivateServer(() => undefined);
    try {
      const { output, summary } = await replayAndCheck("--flights=500", `--url=${server.url}`);
      expect(output).toContain(`on ${server.url}`);
      expect(summary).toMatchObject({ ok: true, flights: 500, wrong: 0, blows: [], leaders: 1 });
      await using hf = await connect(server.url);
      expect(await hf.driver.send(["DBSIZE"], { op: "test", class: "read" })).toBe(0);
    } finally {
      await server.stop();
    }
  });

  test.each([
    ["embedded", "restart server", 1],
    ["redis", "kill server", 2],
  ])("passes with processes killed and frozen on --server %s, and %s, seed %i", async (kind, blow, seed) => {
    const { summary } = await replayAndCheck("--flights=4000", "--chaos", `--seed=${seed}`, `--server=${kind}`);
    expect(summary).toMatchObject({ ok: true, wrong: 0, seed });
    for (const kill of [/^kill ingest/, /^kill worker/, /^kill api/])
      expect(summary.blows).toContainEqual(expect.stringMatching(kill));
    expect(summary.blows).toContain(blow);
    expect(summary.leaders).toBeGreaterThan(1);
  });
});

const executable = ensureChromium();
if (executable === undefined)
  console.warn("the page is NOT TESTED: no Chromium was found, and none could be installed");

describe.skipIf(executable === undefined)("the page", { timeout: 2 * MINUTES }, () => {
  let demo: RunningDemo;
  let browser: Browser;
  let visit: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    demo = await startDemo("--speed=300");
    browser = await openBrowser(executable ?? "");
    visit = await browser.newPage({ colorScheme: "light", reducedMotion: "reduce" });
    visit.on("pageerror", (error) => complaints.push(error.message));
    visit.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await visit.goto(demo.url);
  }, 2 * MINUTES);

  afterAll(async () => {
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });

  test("fills boards, map, live flights and the spotlight, without a complaint in the console", async () => {
    for (const board of ["busiest", "delayed", "connected"])
      await visit.locator(`[data-board=${board}] li`).nth(7).waitFor();
    await visit.locator("#feed tr").nth(10).waitFor();
    await visit.locator("#spotlight .hours rect").nth(23).waitFor({ state: "attached" });
    expect(await visit.locator(".airports circle").count()).toBeGreaterThan(50);
    expect(await visit.locator("#clock-time").textContent()).toMatch(/^\d\d:\d\d$/);
    expect(complaints).toEqual([]);
  });

  test("is dark where the system is, or when asked to be", async () => {
    const ground = (): Promise<string> => visit.evaluate(`getComputedStyle(document.body).backgroundColor`);
    const light = await ground();
    await visit.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await visit.locator("#theme").click();
    expect(await ground()).toBe(light);
  });

  test("lets a visitor sign in, change the speed and star an airport", async () => {
    expect(await visit.locator("#speeds button").first().isDisabled()).toBe(true);
    await visit.locator("#sign-in").click();
    await visit.locator("#sign-out").waitFor();
    await visit.locator("#speeds button", { hasText: "2k" }).click();
    await visit.locator("#speeds button[aria-pressed=true]", { hasText: "2k" }).waitFor();
    await visit.locator("[data-board=busiest] button").first().click();
    await visit.locator(".star[aria-pressed=false]").click();
    await visit.locator(".star[aria-pressed=true]").waitFor();
    const cookies = await visit.context().cookies();
    expect(cookies).toMatchObject([{ name: "flightboard", httpOnly: true, sameSite: "Strict" }]);
  });

  test("finds airports by their tags", async () => {
    await visit.locator("#in-state").fill("ca");
    await visit.locator("#search button").click();
    await visit.locator("#found .chip", { hasText: "LAX" }).waitFor();
    expect(await visit.locator("#found .chip", { hasText: "ATL" }).count()).toBe(0);
  });

  test("shows the takeover when the leader is killed", async () => {
    const leader = visit.locator("[data-process]", { hasText: "leads" });
    const killed = await leader.getAttribute("data-process");
    await leader.locator(".kill").click();
    await visit.locator("#history li", { hasText: `took over from ${killed}` }).waitFor();
    expect(await leader.getAttribute("data-process")).not.toBe(killed);
    expect(complaints).toEqual([]);
  });

  test("comes back by itself when the API is killed, with the visitor still signed in", async () => {
    await visit.locator("[data-process=api] .kill").click();
    await visit.locator("#outage").waitFor();
    await visit.locator("#outage").waitFor({ state: "hidden", timeout: MINUTES });
    await visit.reload();
    await visit.locator("#sign-out").waitFor();
    expect(await visit.locator(".who").textContent()).toContain("ada");
  });
});
