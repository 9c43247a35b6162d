// What could go wrong on real connections:
// - the answer to a claim is lost, and its jobs are held by nobody ...... "gives back what a claim brought whose answer was lost"
// - the answer to an end is lost, and the caller is told a lie .......... "says that it does not know ..."
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { claim, hold, settle } from "../scripts.gen.ts";

describe("claims by hand under faults", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    const options = { prefix, timeout: "20s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix })]);
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const two = (name: string = randomUUID()) => [hf.queue<number>(name), direct.queue<number>(name)] as const;

  it("gives back what a claim brought whose answer was lost", async () => {
    const [far, near] = two();
    await near.add(1);
    await expect(losingAnswer(proxy, claim, () => far.claim({ lease: "10m" }))).rejects.toMatchObject({
      code: "OUTCOME_UNKNOWN",
    });
    const [job] = await near.claim({ wait: "20s" });
    expect(job).toMatchObject({ payload: 1, attempt: 1, crashes: 0 });
    expect(await near.counts()).toMatchObject({ workers: 1, active: 1 });
  });

  it("says that it does not know where the answer to the end of a job is lost", async () => {
    const [far, near] = two();
    await near.add(1);
    const [job] = await far.claim();
    await expect(losingAnswer(proxy, settle, () => job!.complete())).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(await near.counts()).toMatchObject({ waiting: 0, active: 0, workers: 0 });
  });

  it("extends where the answer is lost", async () => {
    const [far, near] = two();
    await near.add(1);
    const [job] = await far.claim();
    expect(await losingAnswer(proxy, hold, () => job!.extend("10m"))).toEqual({ status: "ok" });
    expect(await job!.complete()).toEqual({ status: "ok" });
  });
});
