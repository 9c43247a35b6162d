/**
 * The dashboard's page in a real Chromium, by an event stream and by a WebSocket, and beside it a plain EventSource on the same path. What could go wrong, and the test for each:
 * - `holdfast/live-client` does not run in a browser ......................... "each alert once and in order, over two cuts"
 * - a browser's connection that breaks is not made again, or without its cursor .. the same
 * - an EventSource's `Last-Event-ID` is not understood ....................... the same
 * - another site's page reads over a WebSocket, with the visitor's cookies .... "another site's page"
 */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { TwoHandles } from "../../../packages/holdfast/test/support/two-handles.ts";
import { ensureChromium, openBrowser } from "../../flightboard/src/testing/chromium.ts";
import { Site } from "./site.ts";

const executable = ensureChromium();
if (executable === undefined)
  console.warn("the dashboard's page is NOT TESTED: no Chromium was found, and none could be installed");

const html = (transport: string): string => `<!doctype html><title>Dashboard</title><script type="module">
  import { DashboardPage } from "/page.js";
  document.cookie = "user=ada";
  window.page = new DashboardPage("/live", () => undefined, { maxRetry: 400, transport: "${transport}" });
  window.heard = [];
  const events = new EventSource("/live?subscribe=alerts");
  events.addEventListener("alerts", ({ data }) => heard.push(JSON.parse(data).text));
  events.addEventListener("live", ({ data }) => {
    const { type } = JSON.parse(data);
    if (type !== "hello" && type !== "open") heard.push(type);
  });
</script>`;

async function script(): Promise<string> {
  const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const client = pathOf("../../../packages/holdfast/src/adapters/live-client/index.ts");
  const bundle = await rolldown({
    input: pathOf("page.ts"),
    platform: "browser",
    resolve: { alias: { "holdfast/live-client": client } },
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return output[0].code;
}

describe.skipIf(executable === undefined)("in a browser", () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let code: string;
  beforeAll(async () => {
    [browser, code] = await Promise.all([openBrowser(executable!), script()]);
  });
  afterAll(() => browser?.close());

  describe.each(backends("standalone", "embedded"))("cookbook: live dashboard [$name]", (backend) => {
    const two = new TwoHandles(backend);

    const filesOf = (transport: string) => ({
      "/": { type: "text/html", text: html(transport) },
      "/page.js": { type: "text/javascript", text: code },
    });

    it.each(["sse", "websocket", "auto"])("each alert once and in order, over two cuts: %s", async (transport) => {
      const files = filesOf(transport);
      await using first = await Site.open(two.a, undefined, files);
      await using visit = await browser.newPage();
      visit.setDefaultTimeout(80_000);
      const complaints: string[] = [];
      visit.on("pageerror", (error) => complaints.push(error.message));
      await visit.goto(first.url);
      const said: string[] = [];
      const raise = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n += 1) {
          const text = `alert ${said.length}`;
          await first.dashboard.raise(text, { text });
          said.push(text);
        }
      };
      const shown = (): Promise<unknown> =>
        visit.waitForFunction(`page.alerts.length >= ${said.length} && heard.length >= ${said.length}`);

      await raise(10);
      await shown();
      await raise(5);
      first.cut();
      await raise(5);
      await shown();
      await raise(5);
      await first[Symbol.asyncDispose]();
      await raise(5);
      await using _second = await Site.open(two.b, first.port);
      await raise(5);
      await shown();
      expect(await visit.evaluate("page.alerts.map(({ text }) => text)")).toEqual(said);
      expect(await visit.evaluate("heard")).toEqual(said);
      expect(await visit.evaluate("page.missed")).toBe(0);
      expect(complaints).toEqual([]);
    });

    it("another site's page is refused a WebSocket, although the browser sends the cookie", async () => {
      await using site = await Site.open(two.a, undefined, filesOf("sse"));
      await using other = await Site.open(two.b, 0, { "/": { type: "text/html", text: "<title>Elsewhere</title>" } });
      await using visit = await browser.newPage();
      visit.setDefaultTimeout(80_000);
      await visit.goto(site.url);
      const opens = (): Promise<boolean> =>
        visit.evaluate(`new Promise((resolve) => {
          const socket = new WebSocket("${site.url.replace("http", "ws")}/live");
          socket.onopen = () => resolve(true);
          socket.onclose = () => resolve(false);
        })`);
      expect(await opens()).toBe(true);
      // Cookies know no ports.
      await visit.goto(other.url);
      expect(await opens()).toBe(false);
    });
  });
});
