// What could go wrong, and the test for each:
// - a page that is opened late misses alerts, or sees one twice ..... "shows the alerts of the day, then what comes"
// - a deployment loses alerts, or repeats them ....................... "goes on in another process"
// - what was missed of the loads looks as if it were so still ........ the same
// - whoever has signed out goes on looking ........................... "ends for whoever has signed out"
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { DashboardPage } from "./page.ts";
import { Site } from "./site.ts";

describe.each(backends("standalone", "embedded"))("cookbook: live dashboard [$name]", ({ url, options }) => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) await each.close();
  });

  /** Two processes of a fleet of its own. */
  const fleet = async (): Promise<[Holdfast, Holdfast]> => {
    const prefix = `cook-${randomUUID()}`;
    const open = () => connect(url, { ...options, prefix, timeout: "30s" });
    const handles = await Promise.all([open(), open()]);
    opened.push(...handles);
    return handles;
  };
  const serve = async (hf: Holdfast, port?: number): Promise<Site> => {
    const site = await Site.open(hf, port);
    opened.push({ close: () => site[Symbol.asyncDispose]() });
    return site;
  };
  const look = (site: Site, cookie = "user=ada"): DashboardPage => {
    const page = new DashboardPage(`${site.url}/live`, () => undefined, { headers: { cookie }, maxRetry: 400 });
    opened.push(page);
    return page;
  };
  const textsOf = ({ alerts }: DashboardPage): string[] => alerts.map(({ text }) => text);
  const shows = (page: DashboardPage, count: number): Promise<unknown> =>
    until(`${count} alerts are shown`, () => page.alerts.length >= count);
  /** As a machine does: again and again. */
  const showsLoad = (page: DashboardPage, { dashboard }: Site, percent: number): Promise<unknown> =>
    until(`${percent}% is shown`, async () => {
      await dashboard.report({ machine: "db-1", percent });
      return page.loads.get("db-1") === percent;
    });

  it("shows the alerts of the day, then what comes, each once, and the loads", async () => {
    const [one, two] = await fleet();
    const [here, there] = [await serve(one), await serve(two)];
    for (let n = 0; n < 10; n += 1) await here.dashboard.raise(`${n}`, { text: `alert ${n}` });
    const pages = [look(here), look(there)];
    for (let n = 8; n < 30; n += 1) await there.dashboard.raise(`${n}`, { text: `alert ${n}` });
    for (const page of pages) {
      await shows(page, 30);
      expect(textsOf(page)).toEqual(Array.from({ length: 30 }, (_, n) => `alert ${n}`));
      await showsLoad(page, here, 40);
    }
  });

  it("goes on in another process, with nothing missed or twice; old loads are gone", async () => {
    const [one, two] = await fleet();
    const first = await serve(one);
    const page = look(first);
    await first.dashboard.raise("a", { text: "a" });
    await shows(page, 1);
    await showsLoad(page, first, 90);
    first.cut();
    await first.dashboard.raise("b", { text: "b" });
    await shows(page, 2);
    await until("the old load is gone", () => page.loads.size === 0);
    await first[Symbol.asyncDispose]();
    const second = await serve(two, first.port);
    await second.dashboard.raise("c", { text: "c" });
    await shows(page, 3);
    await showsLoad(page, second, 10);
    expect(textsOf(page)).toEqual(["a", "b", "c"]);
    expect(page.missed).toBe(0);
  });

  it("ends for whoever has signed out, in whichever process, and shows nothing to strangers", async () => {
    const [one, two] = await fleet();
    const [here, there] = [await serve(one), await serve(two)];
    const [ada, bob, stranger] = [look(here), look(here, "user=bob"), look(there, "")];
    await until("both look", () => ada.state === "open" && bob.state === "open");
    await there.dashboard.signOut("ada");
    await until("it has ended", () => ada.state === "signed out" && stranger.state === "signed out");
    await there.dashboard.raise("a", { text: "a" });
    await shows(bob, 1);
    expect([textsOf(ada), textsOf(stranger)]).toEqual([[], []]);
  });
});
