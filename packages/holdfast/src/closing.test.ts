/**
 * Closing from inside: whoever waits for the end of what waits for him waits for ever. What waits for user code does so for an hour here.
 * What could go wrong, and the test for each:
 * - a handler that ends its own subscription waits for itself ... "a subscription's handler"
 * - or one that ends its worker, and its job is given back ...... "a job's handler", "and the job is done"
 * - or one that closes the handle ............................... "the handle closes from inside %s"
 * - the others are not waited for any more ...................... "waits for the other handlers"
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../test/conformance/support.ts";
import { backends } from "../test/support/backends.ts";
import { Deferred } from "./base/deferred.ts";
import { connect } from "./connect.ts";
import type { Holdfast } from "./holdfast.ts";

describe.each(backends())("closing from inside [$name]", ({ url, options }) => {
  const prefix = `c-${randomUUID()}`;
  let other: Holdfast;
  const open = () => connect(url, { ...options, prefix });
  beforeAll(async () => {
    other = await open();
  });
  afterAll(() => other.close());

  it.each(["close", "dispose"] as const)("a subscription's handler may wait for its %s", async (how) => {
    const name = randomUUID();
    const done = new Inbox<string>();
    for (const on of [other.channel<string>(name), other.channels<string>(name)]) {
      const subscription = await on.subscribe(
        async () => {
          await sleep(1);
          await (how === "close" ? subscription.close() : subscription[Symbol.asyncDispose]());
          done.put("closed");
        },
        { closeTimeout: "1h" },
      );
    }
    await other.channel<string>(name).publish("end");
    await done.find(() => done.all.length === 2);
    expect(await other.channel<string>(name).publish("nobody")).toBe(0);
  });

  it("waits for the other handlers all the same", async () => {
    const name = randomUUID();
    const log = new Inbox<string>();
    const gate = new Deferred<void>();
    const slow = async () => {
      await gate.promise;
      log.put("slow");
    };
    const subscription = await other.channel<string>(name).subscribe(
      async (message) => {
        if (message === "slow") return slow();
        await subscription.close();
        log.put("inside");
      },
      { closeTimeout: "1h", concurrency: 2 },
    );
    for (const message of ["slow", "end"]) await other.channel<string>(name).publish(message);
    await log.find((line) => line === "inside");
    const closed = subscription.close().then(() => log.put("outside"));
    gate.resolve();
    await closed;
    expect(log.all).toEqual(["inside", "slow", "outside"]);
  });

  it.each(["work", "workMany"] as const)(
    "a job's handler (%s) may wait for the end of its worker, and the job is done",
    async (how) => {
      const queue = other.queue<string>(randomUUID());
      const log: string[] = [];
      const worker = queue[how](
        async () => {
          await sleep(1);
          await worker.close();
          log.push("closed");
        },
        { drain: "1h" },
      );
      await queue.add("last");
      await worker.ended;
      expect(log).toEqual(["closed"]);
      expect(worker.stats()).toMatchObject({ completed: 1, lost: 0 });
      expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
    },
  );

  it("the handle closes from inside a job, once the job is done", async () => {
    const hf = await open();
    const name = randomUUID();
    const inside = new Deferred<void>();
    const worker = hf.queue<string>(name).work(
      async () => {
        await sleep(1);
        await hf.close();
        inside.resolve();
      },
      { drain: "1h" },
    );
    await other.queue<string>(name).add("last");
    await inside.promise;
    await hf.close();
    expect(worker.stats()).toMatchObject({ completed: 1, lost: 0 });
    expect(await other.queue<string>(name).counts()).toMatchObject({ waiting: 0, active: 0 });
  });

  it("the handle closes from inside a channel's handler", async () => {
    const hf = await open();
    const name = randomUUID();
    const inside = new Deferred<void>();
    await hf.channel<string>(name).subscribe(
      async () => {
        await sleep(1);
        await hf.close();
        inside.resolve();
      },
      { closeTimeout: "1h" },
    );
    await other.channel<string>(name).publish("end");
    await inside.promise;
    await hf.close();
    expect(await other.channel<string>(name).publish("nobody")).toBe(0);
  });

  it.each<[string, (hf: Holdfast, close: () => Promise<void>) => Promise<unknown>]>([
    ["a loader", (hf, close) => hf.cache<number>("c", { loadTimeout: "1h" }).getOrSet("a", close as never)],
    ["a lock's run", (hf, close) => hf.lock(randomUUID()).run(close)],
    [
      "an update",
      async (hf, close) => {
        const change = async () => (await close(), { n: 1 });
        await hf.records<{ n: number }>("r").update("a", change, { initial: { n: 0 } });
      },
    ],
    ["a transaction", (hf, close) => hf.transaction([hf.key("t", 1)], close)],
    [
      "an iteration",
      async (hf, close) => {
        const stream = hf.channel<string>(prefix).messages();
        await stream.ready;
        await other.channel<string>(prefix).publish("end");
        for await (const _ of stream) await close();
      },
    ],
  ])("the handle closes from inside %s", async (_where, use) => {
    const hf = await open();
    const closed = new Deferred<void>();
    const using = use(hf, async () => {
      await sleep(1);
      await hf.close();
      closed.resolve();
    }).catch(() => undefined);
    await closed.promise;
    await using;
    await expect(hf.ping()).rejects.toMatchObject({ code: "CLOSED" });
  });
});
