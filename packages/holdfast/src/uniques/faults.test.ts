/**
 * What could go wrong, and the test that watches it:
 * - an addition whose answer was lost is lost, or counts twice ....... "a lost answer"
 * - one that arrives late changes what came since ..................... "a late copy"
 * - a call hangs while the server does ................................ "while the server is stopped"
 */
import { describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { add } from "./scripts.gen.ts";

describe("uniques under faults", () => {
  const net = new BehindProxy();

  it("a lost answer is asked for again, and each member is there once, in the list and beyond it", async () => {
    const uniques = net.hf.uniques(randomName());
    await uniques.add("x", "a");
    expect(await losingAnswer(net.proxy, add, () => uniques.add("x", ["a", "b"]))).toEqual({ status: "ok" });
    expect((await uniques.count("x")).count).toBe(2);
    const many = Array.from({ length: 200 }, (_, at) => `m${at}`);
    await net.direct.uniques(uniques.name).add("y", many);
    const expected = await uniques.count("y");
    await uniques.remove("y");
    await losingAnswer(net.proxy, add, () => uniques.add("y", many));
    expect(await uniques.count("y")).toEqual(expected);
  });

  it("a late copy of an addition does not bring back what was removed since", async () => {
    const uniques = net.hf.uniques(randomName());
    await uniques.add("x", "a");
    await losingRequest(net.proxy, add, () => uniques.add("x", "b"));
    await net.direct.uniques(uniques.name).remove("x");
    expect((await uniques.count("x")).count).toBe(0);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const name = randomName();
    await net.hf.uniques(name).add("x", "a");
    const uniques = net.hf.uniques(name, { timeout: 100 });
    await net.server.pause();
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
