/**
 * What could go wrong, and the test that watches it:
 * - an addition whose answer was lost is lost, or counts twice ....... "a lost answer"
 * - one that arrives late changes what came since ..................... "a late copy"
 * - a call hangs while the server does ................................ "while the server is stopped"
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { add } from "./scripts.gen.ts";

const prefix = randomName();

describe("uniques under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    [hf, direct] = await Promise.all([connect(proxy.url, { prefix, timeout: "20s" }), connect(server.url, { prefix })]);
  });

  afterEach(async () => {
    server.resume();
    await proxy.heal();
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  it("a lost answer is asked for again, and each member is there once, in the list and beyond it", async () => {
    const uniques = hf.uniques(randomName());
    await uniques.add("x", "a");
    expect(await losingAnswer(proxy, add, () => uniques.add("x", ["a", "b"]))).toEqual({ status: "ok" });
    expect((await uniques.count("x")).count).toBe(2);
    const many = Array.from({ length: 200 }, (_, at) => `m${at}`);
    await direct.uniques(uniques.name).add("y", many);
    const expected = await uniques.count("y");
    await uniques.remove("y");
    await losingAnswer(proxy, add, () => uniques.add("y", many));
    expect(await uniques.count("y")).toEqual(expected);
  });

  it("a late copy of an addition does not bring back what was removed since", async () => {
    const uniques = hf.uniques(randomName());
    await uniques.add("x", "a");
    await losingRequest(proxy, add, () => uniques.add("x", "b"));
    await direct.uniques(uniques.name).remove("x");
    expect((await uniques.count("x")).count).toBe(0);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const name = randomName();
    await hf.uniques(name).add("x", "a");
    const uniques = hf.uniques(name, { timeout: 100 });
    await server.pause();
    const calls = [
      uniques.add("x", "b"),
      uniques.count("x"),
      uniques.countMany(["x"]),
      uniques.history("x"),
      uniques.remove("x"),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });
});
