/**
 * What could go wrong, and the test that watches it:
 * - an addition whose answer was lost says that the member was there .. "a lost answer"
 * - one that never arrived is taken for one that did .................. "a lost request"
 * - a call hangs while the server does ................................ "while the server is stopped"
 */
import { describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { add } from "./scripts.gen.ts";

const OPTIONS = { capacity: 1_000, errorRate: 1e-6 } as const;

describe("bloom under faults", () => {
  const net = new BehindProxy();

  it("a lost answer: the member is there, and nobody is told that it was before", async () => {
    const bloom = net.hf.bloom(randomName(), OPTIONS);
    await bloom.add("warm");
    const adding = losingAnswer(net.proxy, add, () => bloom.add("ada"));
    await expect(adding).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await bloom.has("ada")).toBe(true);
    expect((await bloom.info()).count).toBe(2);
  });

  it("a lost request: it was new, and is told so", async () => {
    const bloom = net.hf.bloom(randomName(), OPTIONS);
    await bloom.add("warm");
    expect(await losingRequest(net.proxy, add, () => bloom.add("ada"))).toEqual({ status: "ok" });
    expect(await bloom.add("ada")).toEqual({ status: "duplicate" });
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const name = randomName();
    await net.hf.bloom(name, OPTIONS).add("a");
    const bloom = net.hf.bloom(name, { ...OPTIONS, timeout: 100 });
    await net.server.pause();
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
