// - a host's measurements hide another's, or its restart counts backwards ... "the worst host", "begins again"
// - a page of one process shows only its own ................................ "whichever process is asked"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { ServiceMetrics } from "./service-metrics.ts";

const MINUTE = 60_000;

describe.each(backends("standalone", "embedded"))("cookbook: service metrics [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function processes(count: number): Promise<ServiceMetrics[]> {
    const prefix = `cook-${randomUUID()}`;
    const opened = await Promise.all(
      Array.from({ length: count }, () => connect(url, { ...options, prefix, timeout: "30s" })),
    );
    handles.push(...opened);
    return opened.map((hf) => new ServiceMetrics(hf));
  }

  it("shows the worst host's p99 and the rate of each region, whichever process is asked", async () => {
    const [a, b, c] = await processes(3);
    const from = Math.floor(Date.now() / MINUTE) * MINUTE - 30 * MINUTE;
    for (let minute = 0; minute < 5; minute += 1) {
      for (let each = 0; each < 6; each += 1) {
        const at = from + minute * MINUTE + each * 10_000;
        await a!.measured({ route: "/buy", host: "a", region: "eu", milliseconds: 10, at });
        await b!.measured({ route: "/buy", host: "b", region: "us", milliseconds: minute === 4 ? 400 : 20, at });
      }
    }
    const [p99, ...rates] = await c!.page("/buy", from + 5 * MINUTE);
    expect(p99!.chart).toHaveLength(5);
    expect(p99!.chart.endsWith("▁█")).toBe(true);
    expect(p99!.newest).toBeCloseTo(400, -1);
    expect(rates.map(({ title }) => title).toSorted()).toEqual(["/buy requests/s in eu", "/buy requests/s in us"]);
    for (const { newest } of rates) expect(newest).toBeCloseTo(0.1);
  });

  it("a process that begins again counts on", async () => {
    const [before] = await processes(1);
    const from = Math.floor(Date.now() / MINUTE) * MINUTE - 30 * MINUTE;
    const request = (on: ServiceMetrics, second: number): Promise<void> =>
      on.measured({ route: "/", host: "a", region: "eu", milliseconds: 1, at: from + second * 1_000 });
    for (let second = 0; second < 60; second += 1) await request(before!, second);
    const after = new ServiceMetrics(handles.at(-1)!);
    for (let second = 60; second < 120; second += 1) await request(after, second);
    const [, rate] = await after.page("/", from + 2 * MINUTE);
    expect(rate!.newest).toBeCloseTo(1);
  });
});
