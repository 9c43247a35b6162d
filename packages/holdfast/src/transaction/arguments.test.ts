/**
 * What a function of a transaction queues and reads. What could go wrong, and the test for it:
 * - a command that cannot be sent is left out, and the rest committed ... "is refused where it cannot be sent"
 * - what is read has another type than it is said to have ............... "is read as text, numbers"
 */
import { createClient } from "@redis/client";
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Transaction } from "./attempt.ts";

/** Over each way to a server: connections of our own, calls in this process, a client that the user made. */
function nothing(): void {}

interface Way {
  readonly name: string;
  readonly open: (prefix: string) => Promise<{ hf: Holdfast; end: () => void }>;
}

const WAYS: Way[] = [
  ...backends("standalone", "cluster", "embedded").map(({ name, url, options }) => ({
    name,
    open: async (prefix: string) => ({ hf: await connect(url, { ...options, prefix }), end: nothing }),
  })),
  ...backends("standalone").map(({ name, url }) => ({
    name,
    open: async (prefix: string) => {
      const client = createClient({ url });
      client.on("error", nothing);
      await client.connect();
      return { hf: await connect(client, { prefix }), end: () => client.destroy() };
    },
  })),
];

describe.each(WAYS)("what a transaction is given [$name]", ({ open }) => {
  it.each<[string, unknown[]]>([
    ["argument 2 of SET", ["k", undefined]],
    ["argument 2 of SET", ["k", null]],
    ["argument 2 of SET", ["k", true]],
    ["argument 2 of SET", ["k", { a: 1 }]],
    ["argument 3 of SET", ["k", "v", ["PX"]]],
  ])("is refused where it cannot be sent, and nothing is committed: %s", async (field, args) => {
    const { hf, end } = await open(`test-${randomUUID()}`);
    const key = hf.key("g", "x");
    const queueing = (swallow: boolean) => (tx: Transaction) => {
      tx.queue("SET", key, "before", "PX", 60_000);
      try {
        tx.queue("SET", ...(args as string[]));
      } catch (error) {
        if (!swallow) throw error;
      }
    };
    for (const swallow of [false, true]) {
      const failure: unknown = await hf.transaction([key], queueing(swallow)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "INVALID_ARGUMENT", field });
      expect(String(failure)).toContain(`transaction: ${field}: expected a string, a number or bytes`);
    }
    expect(await hf.command("EXISTS", key)).toBe(0);
    await expect(hf.transaction([key], (tx) => tx.send("SET", ...(args as string[])))).rejects.toMatchObject({ field });
    await hf.close();
    end();
  });

  it("is read as text, numbers, hashes, sets and scores", async () => {
    const { hf, end } = await open(`test-${randomUUID()}`);
    const [text, number, hash, set, scores, none] = ["t", "n", "h", "s", "z", "-"].map((name) => hf.key("g", name));
    await hf.command("MSET", text!, "täxt", number!, "-1.5");
    await hf.command("HSET", hash!, "a", 1, "__proto__", "b");
    await hf.command("SADD", set!, "x", "y");
    await hf.command("ZADD", scores!, Number.NEGATIVE_INFINITY, "low", 2.5, "high");
    const result = await hf.transaction([text!], async (tx) => ({
      get: [await tx.get(text!), await tx.get(none!)],
      getNumber: [await tx.getNumber(number!), await tx.getNumber(none!)],
      getBytes: await tx.getBytes(text!),
      mget: await tx.mget([text!, none!, number!]),
      hget: [await tx.hget(hash!, "a"), await tx.hget(hash!, "z")],
      hgetAll: [await tx.hgetAll(hash!), await tx.hgetAll(none!)],
      smembers: await tx.smembers(set!),
      zscore: [await tx.zscore(scores!, "low"), await tx.zscore(scores!, "high"), await tx.zscore(scores!, "none")],
      exists: [await tx.exists(text!), await tx.exists(none!)],
    }));
    expect(result).toMatchObject({
      status: "ok",
      value: {
        get: ["täxt", undefined],
        getNumber: [-1.5, undefined],
        getBytes: Buffer.from("täxt"),
        mget: ["täxt", undefined, "-1.5"],
        hget: ["1", undefined],
        hgetAll: [
          new Map([
            ["a", "1"],
            ["__proto__", "b"],
          ]),
          new Map(),
        ],
        smembers: new Set(["x", "y"]),
        zscore: [Number.NEGATIVE_INFINITY, 2.5, undefined],
        exists: [true, false],
      },
    });
    await expect(hf.transaction([text!], (tx) => tx.getNumber(text!))).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await expect(hf.transaction([set!], (tx) => tx.get(set!))).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await hf.command("DEL", text!, number!, hash!, set!, scores!);
    await hf.close();
    end();
  });
});
