/**
 * The page in a real browser, over real processes that are killed.
 *
 * What could go wrong, and the test for each:
 * - a page that was just opened stands empty ............... "shows the last flights at once"
 * - what a kill costs is claimed and not measured .......... "shows what a kill cost, before anybody has signed in, and keeps showing it"
 * - old figures look like new ones ......................... "greys while the API is away, and comes back by itself ..."
 * - a chip shows code that the demo does not have .......... "names the primitive behind each panel, with this demo's own code ..."
 * - the queue or the schedule stands still on the page ..... "shows the queue with its workers, and the schedule ..."
 * - the levels of the cache stand still, or are one process's . "shows where the caches' answers came from, ..."
 * - an update takes the focus away ......................... "keeps the focus ..."
 * - parts lie over each other on a narrow screen ........... "lays nothing over the totals ..."
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureChromium, openBrowser } from "./testing/chromium.ts";
import { build, type RunningDemo, startDemo } from "./testing/demo.ts";

const MINUTES = 60_000;
const WORKSPACE = fileURLToPath(new URL("../../../", import.meta.url));

const executable = ensureChromium();
if (executable === undefined)
  console.warn("the page is NOT TESTED: no Chromium was found, and none could be installed");

describe.skipIf(executable === undefined)("the page", { timeout: 10 * MINUTES }, () => {
  let demo: RunningDemo;
  let browser: Browser;
  let visit: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    await build();
    demo = await startDemo("--speed=300");
    browser = await openBrowser(executable ?? "");
    visit = await browser.newPage({ colorScheme: "light", reducedMotion: "reduce" });
    visit.setDefaultTimeout(3 * MINUTES);
    visit.on("pageerror", (error) => complaints.push(error.message));
    visit.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await visit.goto(demo.url);
  }, 15 * MINUTES);

  afterAll(async () => {
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });

  it("fills boards, map, live flights and the spotlight, without a complaint in the console", async () => {
    for (const board of ["busiest", "delayed", "connected"])
      await visit.locator(`[data-board=${board}] li`).nth(7).waitFor();
    await visit.locator("#feed tr").nth(10).waitFor();
    await visit.locator("#spotlight .hours rect").nth(23).waitFor({ state: "attached" });
    expect(await visit.locator(".airports circle").count()).toBeGreaterThan(50);
    expect(await visit.locator("#clock-time").textContent()).toMatch(/^\d\d:\d\d$/);
    expect(complaints).toEqual([]);
  });

  it("is dark where the system is, or when asked to be", async () => {
    const ground = (): Promise<string> => visit.evaluate(`getComputedStyle(document.body).backgroundColor`);
    const light = await ground();
    await visit.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await visit.locator("#theme").click();
    expect(await ground()).toBe(light);
  });

  it("lets a visitor sign in, change the speed and star an airport", async () => {
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

  it("finds airports by their tags", async () => {
    await visit.locator("#in-state").fill("ca");
    await visit.locator("#search button").click();
    await visit.locator("#found .chip", { hasText: "LAX" }).waitFor();
    expect(await visit.locator("#found .chip", { hasText: "ATL" }).count()).toBe(0);
  });

  it("shows the last flights at once", async () => {
    await using fresh = await browser.newPage();
    // Nothing new comes in: the stream is cut after its greeting.
    await fresh.route("**/api/events", async (route) => {
      const response = await fetch(`${demo.url}/api/events`);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (!text.includes("event: snapshot")) text += (await reader.read()).value ?? "";
      await reader.cancel();
      await route.fulfill({ contentType: "text/event-stream", body: text });
    });
    await fresh.goto(demo.url);
    await fresh.locator("#feed tr").nth(10).waitFor();
    expect(await fresh.locator("#feed tr").count()).toBeLessThanOrEqual(40);
  });

  it("shows what a kill cost, before anybody has signed in, and keeps showing it", async () => {
    await using stranger = await (await browser.newContext()).newPage();
    await stranger.goto(demo.url);
    await stranger.locator("#sign-in").waitFor();
    // Slow enough that now and then no flight is on its way: only then can flights be counted.
    await visit.locator("#speeds button", { hasText: "60" }).click();
    await stranger.locator("#break-it:enabled").waitFor();
    const killed = await stranger.locator("[data-lock=ingest-leader] .holder").textContent();
    await stranger.locator("#break-it").click();
    await visit.locator("#history li", { hasText: `took over from ${killed}` }).waitFor();
    const tiles = stranger.locator("#verdict .tile:not(.pending)");
    await tiles.nth(2).waitFor();
    const [soon, lost, twice] = await tiles.allTextContents();
    const successor = await stranger.locator("[data-lock=ingest-leader] .holder").textContent();
    expect(successor).not.toBe(killed);
    expect(soon).toMatch(new RegExp(`^\\d+\\.\\d s until the new leader ${successor}$`));
    expect(lost).toMatch(/^0 flights lost of [\d,]+$/);
    expect(twice).toMatch(/^0 counted twice of [\d,]+$/);
    await stranger.reload();
    expect(await tiles.nth(1).textContent()).toBe(lost);
    expect(complaints).toEqual([]);
  });

  it("names the primitive behind each panel, with this demo's own code and the scripts that it runs", async () => {
    const panels = await visit.locator("main > .card, #boards > .card").all();
    for (const panel of panels) expect(await panel.locator("button.primitive").count()).toBeGreaterThan(0);
    const sources = sourcesUnder("examples/flightboard/src");
    const names = new Set(await visit.locator("button.primitive").allTextContents());
    expect(names.size).toBeGreaterThan(8);
    const scripts: string[] = [];
    for (const name of names) {
      await visit
        .locator("button.primitive", { hasText: new RegExp(`^${name}$`) })
        .first()
        .click();
      const card = visit.locator("#primitive:popover-open");
      expect(await card.locator("h2").textContent()).toBe(`hf.${name}`);
      for (const line of (await card.locator("pre").textContent())!.split("\n")) expect(sources).toContain(flat(line));
      for (const command of await card.locator("li").allTextContents()) {
        scripts.push(...Array.from(command.matchAll(/EVALSHA ([\w-]+\.lua)/g), ([, file]) => `${name}/lua/${file}`));
      }
      await visit.keyboard.press("Escape");
      await card.waitFor({ state: "detached" });
    }
    expect(scripts.filter((script) => !existsSync(join(WORKSPACE, "packages/holdfast/src", script)))).toEqual([]);
  });

  it("shows the queue with its workers, and the schedule with its last result and next runs", async () => {
    await visit.locator("#jobs .workers li").first().waitFor();
    await visit.locator("#jobs .workers [data-worker^=worker-]").first().waitFor();
    const figures = visit.locator("#jobs .figures dd");
    expect(await figures.count()).toBe(6);
    await visit.locator("#jobs .figures div", { hasText: /batches done[1-9]/ }).waitFor();
    await visit.locator("#schedule .found", { hasText: /^[\d,]+ flights, [\d.]+% late, busiest [A-Z]{3}$/ }).waitFor();
    await visit.locator("#schedule .plan dd", { hasText: /^\d+ s ago by worker-[12]$/ }).waitFor();
    await visit.locator("#schedule .plan dd", { hasText: /^\d+ s, \d+ s, \d+ s$/ }).waitFor();
  });

  it("shows where the caches' answers came from, over all processes, and what waits for the file", async () => {
    const figure = async (name: string): Promise<number> =>
      Number((await visit.locator(`#cache [data-count=${name}]`).textContent())!.replaceAll(",", ""));
    await visit
      .locator("[data-board=busiest] .place", { hasText: /\d% on time$/ })
      .first()
      .waitFor();
    await visit.locator("#spotlight .muted", { hasText: /looked at (once|\d+ times)$/ }).waitFor();
    await expect.poll(() => figure("memory"), { timeout: MINUTES }).toBeGreaterThan(0);
    expect(await figure("loads")).toBeGreaterThan(0);
    await expect.poll(() => figure("unwritten"), { timeout: MINUTES }).toBe(0);
    expect(await visit.locator("#cache svg text").textContent()).toMatch(/^\d+%$/);
    // The leader, another process than the one that serves the page, reads its speed from its own memory.
    const processes = (await (await fetch(`${demo.url}/api/snapshot`)).json()) as ProcessReads;
    const leaders = processes.processes.filter(({ name }) => name.startsWith("ingest"));
    expect(leaders.some(({ presence }) => (presence?.reads.memory ?? 0) > 0)).toBe(true);
  });

  it("keeps the focus through updates and the tour, which waits", async () => {
    await using page = await browser.newPage();
    await page.clock.install();
    await page.goto(demo.url);
    const route = page.locator("#spotlight .chip").first();
    await route.focus();
    const shown = await page.locator(".airport strong").textContent();
    await page.clock.runFor(15_000);
    expect(await page.locator("#spotlight .chip:focus").count()).toBe(1);
    expect(await page.locator(".airport strong").textContent()).toBe(shown);
    await page.locator("#follow").focus();
    await page.clock.runFor(15_000);
    await page.locator(".airport strong", { hasNotText: shown! }).waitFor();

    await page.locator("#sign-in").focus();
    await page.keyboard.press("Enter");
    await page.locator("#sign-out:focus").waitFor();
  });

  it("lays nothing over the totals at 820 pixels", async () => {
    await using page = await browser.newPage({ viewport: { width: 820, height: 900 } });
    await page.goto(demo.url);
    await page.locator("#totals dd").nth(4).waitFor();
    const boxes = await Promise.all(
      ["#totals", ".legend", ".map > .primitives"].map((part) => page.locator(part).boundingBox()),
    );
    const [totals, legend, chips] = boxes.map((box) => box!);
    expect(overlap(totals!, legend!)).toBe(false);
    expect(overlap(totals!, chips!)).toBe(false);
    expect(overlap(legend!, chips!)).toBe(false);
  });

  it("greys while the API is away, and comes back by itself with the visitor still signed in", async () => {
    const colours = (): Promise<string> => visit.evaluate(`getComputedStyle(document.querySelector("main")).filter`);
    expect(await colours()).toBe("none");
    await visit.locator("[data-process=api] .kill").click();
    await visit.locator("#outage").waitFor();
    expect(await colours()).toBe("grayscale(1)");
    await visit.locator("#outage").waitFor({ state: "hidden", timeout: 5 * MINUTES });
    expect(await colours()).toBe("none");
    await visit.locator("#history li", { hasText: "back after" }).first().waitFor();
    // What came of the kill before is kept on the server, not in the process that died.
    await visit.locator("#verdict .tile.good").nth(2).waitFor();
    await visit.reload();
    await visit.locator("#sign-out").waitFor();
    expect(await visit.locator(".who").textContent()).toContain("ada");
  });
});

interface ProcessReads {
  readonly processes: readonly {
    readonly name: string;
    readonly presence?: { readonly reads: { readonly memory: number } };
  }[];
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function sourcesUnder(folder: string): string {
  const path = join(WORKSPACE, folder);
  const files = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return flat(files.map((file) => readFileSync(join(path, file), "utf8")).join("\n"));
}

/** Without line breaks, as the formatter may set them. */
function flat(code: string): string {
  return code.replace(/\s+/g, " ").trim();
}
