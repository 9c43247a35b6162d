/**
 * What could go wrong, and the test for it:
 * - a value changes on its way through Lua (bytes, 2^53, fractions, empty lists) ... "each type comes back as it went"
 * - a number that Lua would misread is sent ....................................... "a bad argument"
 * - a reply is taken for what it is not .......................................... "a reply that the header does not allow"
 * - one item of a merged call spoils the others, or shifts them ................... "merged calls"
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { startStandalone } from "../../../test/support/servers.ts";
import { echo, firstOf, misdeclared, peek, shapes, take } from "../../../test/sample-scripts/scripts.gen.ts";
import { openTransport } from "../../driver/node-redis/open.ts";
import type { Driver } from "../../driver/port.ts";
import { HoldfastError, InvalidArgumentError, ServerError } from "../../base/errors.ts";
import { createDriver } from "../../driver/resilience/driver.ts";
import { MAX_BATCH_ITEMS, runMerged, runScript } from "./run.ts";

const TTL_MS = 60_000;
const CALL = { op: "test.run" } as const;

/** All keys of one test in one slot. */
function keyMaker(): (name: string) => string {
  const tag = `t${randomBytes(6).toString("hex")}`;
  return (name) => `{${tag}}:${name}`;
}

describe.each(backends())("scripts [$name]", ({ url, options }) => {
  let driver: Driver;

  beforeAll(async () => {
    driver = createDriver(await openTransport({ url, ...options }));
  });
  afterAll(() => driver.close());

  const put = (key: string, value: string): Promise<unknown> =>
    driver.send(["SET", key, value, "PX", String(TTL_MS)], { ...CALL, class: "idempotent" }, key);

  it("each type comes back as it went", async () => {
    const args = {
      raw: Buffer.from([0, 255, 13, 10, 128]),
      name: "Ada “λ” `${x}` \\",
      whole: -(2 ** 53 - 64),
      real: 0.1 + 0.2,
      flag: true,
      document: { deep: [1, "two", null] },
      huge: 2n ** 80n,
      rest: [1, 2, 3_000_000_000],
    };
    const answer = await runScript(driver, echo, { anything: keyMaker()("k") }, args, CALL);
    expect(answer).toEqual({ status: "same", ...args, absent: null });
  });

  it("an empty list, an empty string and false come back as they went", async () => {
    const args = { raw: "", name: "", whole: 0, real: -1.5e-300, flag: false, document: "", huge: 0n, rest: [] };
    const answer = await runScript(driver, echo, { anything: keyMaker()("k") }, args, CALL);
    expect(answer).toEqual({ status: "same", ...args, raw: Buffer.alloc(0), absent: null });
  });

  it("a list of keys, with null where there is no value", async () => {
    const key = keyMaker();
    await put(key("a"), "1");
    const answer = await runScript(driver, peek, { names: [key("a"), key("none")] }, {}, CALL);
    expect(answer).toEqual([Buffer.from("1"), null]);
  });

  it("maps, rows, nested lists and a status without fields", async () => {
    const key = keyMaker();
    const keys = { hash: key("hash"), board: key("board") };
    const answer = await runScript(driver, shapes, keys, { ttlMs: TTL_MS, pairs: ["x", "7", "y", "-2"] }, CALL);
    expect(answer).toEqual({
      status: "shapes",
      fields: new Map([
        ["x", 7],
        ["y", -2],
      ]),
      ranking: [
        { member: "y", score: -2 },
        { member: "x", score: 7 },
      ],
      nested: [[1, null, 3], []],
      nothing: false,
    });
    expect(await runScript(driver, shapes, keys, { ttlMs: TTL_MS, pairs: [] }, CALL)).toEqual({ status: "empty" });
  });

  it("the include `now` returns the server's milliseconds", async () => {
    const stock = keyMaker()("stock");
    await put(stock, "5");
    const answer = await runScript(driver, take, { stock }, { amount: 2, ttlMs: TTL_MS }, CALL);
    const [seconds] = (await driver.send(["TIME"], { ...CALL, class: "read" }, stock)) as [Buffer, Buffer];
    if (answer.status !== "taken") throw new Error(answer.status);
    expect(answer.left).toBe(3);
    expect(Math.abs(Number(seconds) - Math.floor(answer.at / 1000))).toBeLessThanOrEqual(60);
  });

  it("a bad argument is refused by its name and nothing is sent", async () => {
    const stock = keyMaker()("stock");
    await put(stock, "5");
    for (const amount of [Number.NaN, 1.5, 2 ** 53]) {
      const refusal = await runScript(driver, take, { stock }, { amount, ttlMs: TTL_MS }, CALL).catch(
        (e: unknown) => e,
      );
      expect(refusal).toBeInstanceOf(InvalidArgumentError);
      expect(refusal).toMatchObject({ field: "amount" });
    }
    expect(await runScript(driver, peek, { names: [stock] }, {}, CALL)).toEqual([Buffer.from("5")]);
  });

  it.each([
    ["status", "expected one of number"],
    ["type", "expected an integer within"],
    ["missing", "got nothing"],
    ["extra", "expected 1 fields"],
  ])("a reply that the header does not allow (%s) is an error which names the script", async (reply, message) => {
    const anything = keyMaker()("k");
    const failure = await runScript(driver, misdeclared, { anything }, { reply }, { ...CALL, key: "k" }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(HoldfastError);
    expect(failure).toMatchObject({ code: "SERVER", op: "test.run", key: "k", retryable: false });
    expect((failure as HoldfastError).message).toContain("sample-scripts.misdeclared");
    expect((failure as HoldfastError).message).toContain(message);
  });

  it("an error of the script itself has its code", async () => {
    const key = keyMaker();
    await runScript(driver, shapes, { hash: key("h"), board: key("b") }, { ttlMs: TTL_MS, pairs: ["x", "1"] }, CALL);
    const call = runScript(driver, take, { stock: key("h") }, { amount: 1, ttlMs: TTL_MS }, CALL);
    await expect(call).rejects.toMatchObject({ name: "ServerError", code: "WRONG_TYPE" });
  });

  describe("merged calls", () => {
    it("run the items in their order, each seeing the ones before it", async () => {
      const stock = keyMaker()("stock");
      await put(stock, "5");
      const items = [2, 2, 2, 1].map((amount) => ({ keys: { stock }, args: { amount, ttlMs: TTL_MS } }));
      const outcomes = await runMerged(driver, take, items, CALL);
      expect(outcomes).toMatchObject([
        { status: "taken", left: 3 },
        { status: "taken", left: 1 },
        { status: "short", left: 1 },
        { status: "taken", left: 0 },
      ]);
      const times = new Set(outcomes.flatMap((each) => ("at" in each ? [each.at] : [])));
      expect(times.size).toBe(1);
    });

    it("an item that fails, on the server or before it, leaves the others alone", async () => {
      const key = keyMaker();
      await put(key("good"), "9");
      await runScript(
        driver,
        shapes,
        { hash: key("bad"), board: key("b") },
        { ttlMs: TTL_MS, pairs: ["x", "1"] },
        CALL,
      );
      const item = (
        name: string,
        amount: number,
      ): { keys: { stock: string }; args: { amount: number; ttlMs: number }; key: string } => ({
        keys: { stock: key(name) },
        args: { amount, ttlMs: TTL_MS },
        key: name,
      });
      const items = [item("good", 1), item("bad", 1), item("good", Number.NaN), item("good", 2)];
      const [first, wrongType, notANumber, last] = await runMerged(driver, take, items, CALL);
      expect(first).toMatchObject({ status: "taken", left: 8 });
      expect(wrongType).toBeInstanceOf(ServerError);
      expect(wrongType).toMatchObject({ code: "WRONG_TYPE", prefix: "WRONGTYPE", op: "test.run", key: "bad" });
      expect(notANumber).toBeInstanceOf(InvalidArgumentError);
      expect(last).toMatchObject({ status: "taken", left: 6 });
    });

    it("a reply that the header does not allow is the error of its item alone", async () => {
      const anything = keyMaker()("k");
      const items = ["fine", "type", "fine"].map((reply) => ({ keys: { anything }, args: { reply } }));
      const outcomes = await runMerged(driver, misdeclared, items, CALL);
      expect(outcomes[0]).toEqual({ status: "number", value: 12 });
      expect(outcomes[1]).toMatchObject({ code: "SERVER" });
      expect(outcomes[2]).toEqual({ status: "number", value: 12 });
    });

    it("an item that is alone fails by its own name too", async () => {
      const key = keyMaker();
      await runScript(driver, shapes, { hash: key("h"), board: key("b") }, { ttlMs: TTL_MS, pairs: ["x", "1"] }, CALL);
      const item = { keys: { stock: key("h") }, args: { amount: 1, ttlMs: TTL_MS }, key: "mine" };
      expect(await runMerged(driver, take, [item], CALL)).toMatchObject([{ code: "WRONG_TYPE", key: "mine" }]);
    });

    it("a reply of nil keeps its place", async () => {
      const key = keyMaker();
      await driver.send(["ZADD", key("full"), "1", "ada"], { ...CALL, class: "idempotent" }, key("full"));
      await driver.send(["PEXPIRE", key("full"), String(TTL_MS)], { ...CALL, class: "idempotent" }, key("full"));
      const items = ["none", "full", "none"].map((name) => ({ keys: { board: key(name) }, args: {} }));
      expect(await runMerged(driver, firstOf, items, CALL)).toEqual([null, "ada", null]);
    });

    it("more items than fit into one call, exactly one, and none", async () => {
      const stock = keyMaker()("stock");
      const count = MAX_BATCH_ITEMS * 2 + 1;
      await put(stock, String(count));
      const items = Array.from({ length: count }, () => ({ keys: { stock }, args: { amount: 1, ttlMs: TTL_MS } }));
      const outcomes = await runMerged(driver, take, items, CALL);
      expect(outcomes.map((each) => ("left" in each ? each.left : each))).toEqual(
        Array.from({ length: count }, (_, index) => count - 1 - index),
      );
      expect(await runMerged(driver, take, items.slice(0, 1), CALL)).toEqual([{ status: "short", left: 0 }]);
      expect(await runMerged(driver, take, [], CALL)).toEqual([]);
    });
  });
});

it("a failure of the whole call is the outcome of each item in it [standalone]", async () => {
  await using server = await startStandalone();
  const driver = createDriver(await openTransport({ url: server.url }));
  try {
    const items = ["a", "b"].map((stock) => ({ keys: { stock }, args: { amount: 1, ttlMs: TTL_MS } }));
    await server.pause();
    const outcomes = await runMerged(driver, take, items, { ...CALL, timeoutMs: 200 });
    expect(outcomes).toMatchObject([{ code: "OUTCOME_UNKNOWN" }, { code: "OUTCOME_UNKNOWN" }]);
    server.resume();
  } finally {
    await driver.close();
  }
});
