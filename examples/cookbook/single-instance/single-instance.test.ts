// What could go wrong, and the test for each:
// - two instances run at a time .......................... "one runs, the next takes over at once when it is shut down"
// - the others do not know where it runs .................. the same
// - a process that dies takes the service with it .......... "and within its ttl when it dies"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { followGateway, type Gateway, gatewayElection, runGateway } from "./single-instance.ts";

describe.each(backends("standalone", "embedded"))("cookbook: single instance [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("one runs, the next takes over at once when it is shut down, and within its ttl when it dies", async () => {
    const running: number[] = [];
    const terms: number[] = [];
    const gateway: Gateway = {
      async run(term, signal) {
        expect(running).toEqual([]);
        running.push(term);
        terms.push(term);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        running.pop();
      },
    };
    const fail = (error: unknown): never => {
      throw error;
    };
    const start = (at: number) => runGateway(gatewayElection(handles[at]!, "1s"), gateway, `10.0.0.${at}`, fail);
    const stop = new AbortController();
    let address: string | undefined;
    const following = followGateway(gatewayElection(handles[2]!, "1s"), (to) => (address = to), stop.signal);

    const first = start(0);
    await until("the first is routed to", () => address === "10.0.0.0");
    const second = start(1);
    await until("the second waits", async () => (await gatewayElection(handles[2]!).candidates()).length === 1);
    await first.close();
    await until("the second is routed to", () => address === "10.0.0.1");
    const third = start(0);
    await until("the third waits", async () => (await gatewayElection(handles[2]!).candidates()).length === 1);
    // As if its process had died: the server hears of none of its renewals any more.
    const [key] = (await handles[0]!.scan("election:{gateway}").next()).value as string[];
    await handles[0]!.command("HSET", key!.replace(/}.*/, "}"), "token", "gone");
    await until("the third is routed to", () => address === "10.0.0.0");
    await Promise.all([second.close(), third.close()]);
    stop.abort();
    await following;
    expect(terms).toEqual(terms.toSorted((a, b) => a - b));
    expect(terms).toHaveLength(3);
  });
});
