/**
 * What could go wrong, and the test that watches it:
 * - an addition whose answer was lost counts twice, or as none ....... "without an idempotencyKey", "with one"
 * - a call hangs while the server does ................................ "while the server is stopped"
 */
import { describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { add, addOnce } from "./scripts.gen.ts";

describe("topk under faults", () => {
  const net = new BehindProxy();

  it("without an idempotencyKey a lost answer is an unknown outcome, and is not sent again", async () => {
    const topk = net.hf.topk(randomName());
    await topk.add("a");
    await expect(losingAnswer(net.proxy, add, () => topk.add("a"))).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await topk.list()).toMatchObject([{ count: 2 }]);
  });

  it("with one it is sent again, and counts once", async () => {
    const topk = net.hf.topk(randomName());
    await topk.add("a", 1, { idempotencyKey: "w" });
    expect(await losingAnswer(net.proxy, addOnce, () => topk.add("a", 1, { idempotencyKey: "x" }))).toEqual({
      status: "ok",
    });
    expect(await topk.list()).toMatchObject([{ count: 2 }]);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const name = randomName();
    await net.hf.topk(name).add("a");
    const topk = net.hf.topk(name, { timeout: 100 });
    await net.server.pause();
    const calls = [
      topk.add("b"),
      topk.add("b", 1, { idempotencyKey: "x" }),
      topk.list(),
      topk.counts(["a"]),
      topk.clear(),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });
});
