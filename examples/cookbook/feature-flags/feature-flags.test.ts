// What could go wrong, and the test for each:
// - a process does not hear of a change ............ "reaches every process"
// - who had it loses it when the share rises ....... "nobody loses it"
// - it cannot be stopped ........................... "is stopped"
// - a process without flags while the server is away ... "goes on with the flags that it knows"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "holdfast/testing";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { checkoutOf, type Customer, flagsOf, rollOutCheckout, stopCheckout } from "./feature-flags.ts";

const ada: Customer = { id: "ada", country: "FR", email: "ada@shop.example" };
const customers = Array.from({ length: 1_000 }, (_, at): Customer => ({
  id: `c${at}`,
  country: "DE",
  email: `c${at}@x.y`,
}));

describe.each(backends("standalone", "embedded"))("cookbook: feature flags [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("reaches every process, nobody loses it as the share rises, and it is stopped for all at once", async () => {
    const flags = flagsOf(handles[0]!);
    const processes = handles.map((hf) => flagsOf(hf).client());
    const withIt = (): Customer[][] =>
      processes.map((live) => customers.filter((each) => checkoutOf(live, each) === "one-page"));
    await rollOutCheckout(flags, 10, "eve");
    await Promise.all(processes.map((live) => live.ready()));
    const [few, same] = withIt();
    expect(few).toEqual(same);
    expect(few!.length).toBeGreaterThan(50);
    expect(few!.length).toBeLessThan(150);
    expect(checkoutOf(processes[1]!, ada)).toBe("one-page");
    await rollOutCheckout(flags, 50, "eve");
    await until("all processes know", () => withIt().every((each) => each.length > 400));
    expect(few!.every((each) => withIt()[0]!.includes(each))).toBe(true);
    await stopCheckout(flags, "bob", "payments fail");
    await until("it is stopped", () => withIt().every((each) => each.length === 0));
    expect((await flags.history({ limit: 1 }))[0]).toMatchObject({ by: "bob", why: "payments fail" });
    await Promise.all(processes.map((live) => live.close()));
  });
});

describe("cookbook: feature flags [embedded, with faults]", () => {
  it("goes on with the flags that it knows while the server is away", async () => {
    await using server = await createTestServer();
    await using hf = await connect(await server.listen(), { timeout: "200ms" });
    await rollOutCheckout(flagsOf(hf), 0, "eve");
    await using live = flagsOf(hf).client();
    await live.ready();
    const fault = server.faults.down();
    await until("it knows that it may be stale", () => live.stale);
    expect(checkoutOf(live, ada)).toBe("one-page");
    fault.heal();
    await until("it knows again", () => !live.stale);
  });
});
