/**
 * What could go wrong, and the test that watches it:
 * - an addition whose answer was lost says that the member was there .. "a lost answer"
 * - one that never arrived is taken for one that did .................. "a lost request"
 * - a call hangs while the server does ................................ "while the server is stopped"
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { add } from "./scripts.gen.ts";

const prefix = randomName();
const OPTIONS = { capacity: 1_000, errorRate: 1e-6 } as const;

describe("bloom under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    hf = await connect(proxy.url, { prefix, timeout: "20s" });
  });

  afterEach(async () => {
    server.resume();
    await proxy.heal();
  });

  afterAll(async () => {
    await hf?.close();
    await proxy?.stop();
    await server?.stop();
  });

  it("a lost answer: the member is there, and nobody is told that it was before", async () => {
    const bloom = hf.bloom(randomName(), OPTIONS);
    await bloom.add("warm");
    const adding = losingAnswer(proxy, add, () => bloom.add("ada"));
    await expect(adding).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await bloom.has("ada")).toBe(true);
    expect((await bloom.info()).count).toBe(2);
  });

  it("a lost request: it was new, and is told so", async () => {
    const bloom = hf.bloom(randomName(), OPTIONS);
    await bloom.add("warm");
    expect(await losingRequest(proxy, add, () => bloom.add("ada"))).toEqual({ status: "ok" });
    expect(await bloom.add("ada")).toEqual({ status: "duplicate" });
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const name = randomName();
    await hf.bloom(name, OPTIONS).add("a");
    const bloom = hf.bloom(name, { ...OPTIONS, timeout: 100 });
    await server.pause();
    const calls = [
      bloom.add("b"),
      bloom.addMany(["c"]),
      bloom.has("a"),
      bloom.hasMany(["a"]),
      bloom.info(),
      bloom.clear(),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });
});
