// - a tenant with many requests keeps the others waiting ..... "a tenant that asks for much delays nobody"
// - a busy supplier costs attempts, or is asked on and on .... "a busy supplier pauses its tenant only"
// - a tenant fills the queue ................................. "refuses more than a tenant may have"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { exportQueue, produceExports, requestExport } from "./fair-tenants.ts";

describe.each(backends("standalone", "embedded"))("cookbook: fair tenants [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("a tenant that asks for much delays nobody, a busy supplier pauses its tenant only, too many are refused", async () => {
    const exports = await exportQueue(hf, { acme: 3 });
    const reports = (tenant: string, count: number) =>
      Array.from({ length: count }, (_, at) => requestExport(exports, { tenant, report: String(at) }));
    const asked = await Promise.all(reports("greedy", 1_010));
    expect(asked.filter((answer) => answer === "too many")).toHaveLength(10);
    await Promise.all([...reports("acme", 40), ...reports("busy", 5), ...reports("small", 1)]);

    const produced: string[] = [];
    const refused: string[] = [];
    const running = new Map<string, number>();
    let most = 0;
    await using worker = produceExports(exports, async ({ tenant }) => {
      if (tenant === "busy") {
        refused.push(tenant);
        return { retryAfterMs: 3_600_000 };
      }
      running.set(tenant, (running.get(tenant) ?? 0) + 1);
      if (tenant === "greedy") most = Math.max(most, running.get(tenant)!);
      await new Promise(setImmediate);
      running.set(tenant, running.get(tenant)! - 1);
      produced.push(tenant);
      return {};
    });
    await until(
      "acme and the small one are done",
      () => produced.filter((tenant) => tenant !== "greedy").length === 41,
    );
    // Its weight is 3: of what was produced meanwhile, the greedy one has about a third as much.
    const meanwhile = produced.slice(
      0,
      produced.findLastIndex((tenant) => tenant !== "greedy"),
    );
    expect(meanwhile.filter((tenant) => tenant === "greedy").length).toBeLessThan(40);
    expect(produced.indexOf("small")).toBeLessThan(20);
    await until("the others are done", () => worker.stats().completed === 1_041);
    expect(most).toBe(2);
    expect(refused.length).toBeLessThanOrEqual(2);
    expect((await exports.groups.page()).groups).toMatchObject([
      { group: "acme", waiting: 0 },
      { group: "busy", waiting: 5, running: 0 },
    ]);
    expect(worker.stats()).toMatchObject({ failed: 0, dead: 0 });
  });
});
