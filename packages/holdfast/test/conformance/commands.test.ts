import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, failureOf, openDriver, type OpenDriver, script, send, slotPrefix, targets } from "./support.ts";

describe.each(targets())("commands over $transport [$name]", ({ name, transport, url, options }) => {
  let driver: OpenDriver;
  beforeAll(async () => {
    driver = await openDriver({ url, ...options });
  });
  afterAll(() => driver.close());

  it("says what the server is", () => {
    expect(driver.caps.cluster).toBe(name === "cluster");
    expect(driver.caps.engine).toMatch(transport === "in process" ? "embedded" : /^(redis|valkey)$/);
    expect(driver.caps.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(driver.nodes()).toHaveLength(name === "cluster" ? 3 : 1);
    expect(driver.nodes().every(({ state, epoch }) => state === "up" && epoch === 1)).toBe(true);
  });

  it("keeps binary keys and values as they are", async () => {
    const key = Buffer.concat([Buffer.from(slotPrefix()), Buffer.from([0, 13, 10, 255, 128, 0])]);
    const value = Buffer.concat([Buffer.from([0, 255, 13, 10]), randomBytes(100_000)]);
    await send(driver, ["SET", key, value], "idempotent");
    expect(await send(driver, ["GET", key])).toEqual(value);
    expect(await send(driver, ["EXISTS", key.subarray(0, -1)])).toBe(0);
    await send(driver, ["DEL", key], "idempotent");
  });

  it("keeps text as UTF-8", async () => {
    const key = `${slotPrefix()}ключ-鍵-🔑`;
    await send(driver, ["SET", key, "wert-値-🗝", "PX", "60000"], "idempotent");
    expect(await send(driver, ["GET", Buffer.from(key)])).toEqual(Buffer.from("wert-値-🗝"));
  });

  it("returns replies in one shape: Buffers, strings, flat maps, numbers, null", async () => {
    const prefix = slotPrefix();
    expect(await send(driver, ["SET", `${prefix}s`, "1"], "idempotent")).toBe("OK");
    expect(await send(driver, ["INCR", `${prefix}s`], "unsafe")).toBe(2);
    expect(await send(driver, ["GET", `${prefix}none`])).toBeNull();
    await send(driver, ["HSET", `${prefix}h`, "f", "v"], "idempotent");
    expect(await send(driver, ["HGETALL", `${prefix}h`])).toEqual([Buffer.from("f"), Buffer.from("v")]);
    await send(driver, ["SADD", `${prefix}set`, "m"], "idempotent");
    expect(await send(driver, ["SMEMBERS", `${prefix}set`])).toEqual([Buffer.from("m")]);
    await send(driver, ["ZADD", `${prefix}z`, "1.5", "m"], "idempotent");
    expect(await send(driver, ["ZSCORE", `${prefix}z`, "m"])).toBe(1.5);
    await send(driver, ["DEL", `${prefix}s`, `${prefix}h`, `${prefix}set`, `${prefix}z`], "idempotent");
  });

  it("reports a wrong type as the operation's own fault", async () => {
    const key = `${slotPrefix()}h`;
    await send(driver, ["HSET", key, "f", "v"], "idempotent");
    const error = await failureOf(send(driver, ["INCR", key], "unsafe", { key: "mine" }));
    expect(error).toMatchObject({ code: "WRONG_TYPE", op: "conformance", key: "mine", retryable: false });
    await send(driver, ["DEL", key], "idempotent");
  });

  it("writes the commands of one turn in their order", async () => {
    const key = `${slotPrefix()}list`;
    const pushes = Array.from({ length: 500 }, (_, n) => send(driver, ["RPUSH", key, String(n)], "unsafe"));
    expect(await Promise.all(pushes)).toEqual(pushes.map((_, n) => n + 1));
    expect(await send(driver, ["LRANGE", key, "0", "-1"])).toEqual(pushes.map((_, n) => Buffer.from(String(n))));
    await send(driver, ["DEL", key], "idempotent");
  });

  it("loads a script that the server has forgotten", async () => {
    const prefix = slotPrefix();
    const source = script(`return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])} -- ${prefix}`);
    const run = (): Promise<unknown> => driver.script(source, [`${prefix}n`], ["x"], call("unsafe"));
    expect(await run()).toEqual([Buffer.from(`${prefix}n`), Buffer.from("x"), 1]);
    for (const node of driver.nodes()) await driver.send(["SCRIPT", "FLUSH"], call("idempotent"), { node: node.id });
    expect(await run()).toEqual([Buffer.from(`${prefix}n`), Buffer.from("x"), 2]);
    await send(driver, ["DEL", `${prefix}n`], "idempotent");
  });

  it("reports each command of a batch on its own", async () => {
    const prefix = slotPrefix();
    const commands = [
      ["SET", `${prefix}a`, "x"],
      ["INCR", `${prefix}a`],
      ["GET", `${prefix}a`],
    ];
    const [set, incr, get] = await driver.batch(commands, call("idempotent"), prefix);
    expect(set).toBe("OK");
    expect(incr).toMatchObject({ code: "SERVER" });
    expect(get).toEqual(Buffer.from("x"));
    await send(driver, ["DEL", `${prefix}a`], "idempotent");
  });

  it("rejects what cannot be sent, as its caller's own error, and goes on", async () => {
    const prefix = slotPrefix();
    for (const bad of [undefined, null, true, 5, {}, []]) {
      const refused = failureOf(send(driver, ["SET", `${prefix}a`, bad as never], "idempotent"));
      const beside = send(driver, ["GET", `${prefix}b`]);
      expect(await refused).toMatchObject({ code: "INVALID_ARGUMENT", retryable: false });
      expect(await beside).toBeNull();
      const lease = await driver.lease(prefix, call());
      expect(await failureOf(lease.send(["GET", bad as never], call()))).toMatchObject({ code: "INVALID_ARGUMENT" });
      lease.release();
    }
  });

  it("knows the slot of a key as the server does", async () => {
    const keys = ["foo", "{user1000}.following", "foo{}{bar}", "foo{{bar}}zap", "ключ"];
    for (const key of keys) {
      const slot = name === "cluster" ? await driver.send(["CLUSTER", "KEYSLOT", key], call()) : 0;
      expect(driver.slotOf(key)).toBe(slot);
    }
  });

  it("sends to the node that is named", async () => {
    for (const { id } of driver.nodes()) {
      const port = await driver.send(["CONFIG", "GET", name === "tls" ? "tls-port" : "port"], call(), { node: id });
      // In process there is no port, and one node that any answer comes from.
      const ends = transport === "in process" ? "" : `:${String((port as Buffer[])[1])}`;
      expect(id.endsWith(ends)).toBe(true);
    }
    const stranger = driver.send(["PING"], call("read", { timeoutMs: 200 }), { node: "127.0.0.1:1" });
    expect(await failureOf(stranger)).toMatchObject({ retryable: true });
  });
});
