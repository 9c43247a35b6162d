/**
 * What could go wrong, and the test that watches it:
 * - an increment whose answer was lost is sent again and counts twice ... "without an idempotency key ..."
 * - one with an idempotency key fails though a repeat is harmless ....... "with an idempotency key ..."
 * - a call hangs while the server does .................................. "while the server is stopped ..."
 * - a refusal of the server is taken for a key of another type .......... "a server that is full"
 */
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { OutcomeUnknownError, TimeoutError } from "../base/errors.ts";
import { increment, incrementOnce } from "./scripts.gen.ts";

describe("counters under faults", () => {
  const net = new BehindProxy();

  it("without an idempotency key a lost answer is an unknown outcome, counted once", async () => {
    const name = randomUUID();
    const outcome = losingAnswer(net.proxy, increment, () => net.hf.counter(name).increment("x", 3));
    await expect(outcome).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await net.direct.counter(name).get("x")).toBe(3);
  });

  it("with an idempotency key a lost answer is found out, counted once", async () => {
    const name = randomUUID();
    const outcome = await losingAnswer(net.proxy, incrementOnce, () =>
      net.hf.counter(name).increment("x", 3, { idempotencyKey: "k" }),
    );
    expect(outcome).toEqual({ status: "ok", value: 3 });
    expect(await net.direct.counter(name).get("x")).toBe(3);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const hits = net.hf.counter(randomUUID(), { timeout: 100 });
    await net.server.pause();
    const [get, add, once, reset] = await Promise.allSettled([
      hits.get("x"),
      hits.increment("x"),
      hits.increment("x", 1, { idempotencyKey: "k" }),
      hits.reset("x"),
    ]);
    expect(get).toMatchObject({ status: "rejected", reason: expect.any(TimeoutError) });
    for (const write of [add, once, reset])
      expect(write).toMatchObject({ status: "rejected", reason: expect.any(OutcomeUnknownError) });
  });

  it("a server that is full says so, of bigints too", async () => {
    const counter = net.direct.counter(randomUUID(), { bigint: true });
    await net.server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const alone = await Promise.allSettled([counter.increment("x")]);
      const merged = await Promise.allSettled([counter.increment("x"), counter.increment("y")]);
      for (const each of [...alone, ...merged])
        expect(each).toMatchObject({ status: "rejected", reason: { code: "SERVER_FULL" } });
    } finally {
      await net.server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });
});
