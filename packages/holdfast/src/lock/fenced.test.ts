/**
 * What could go wrong, and the test for each:
 * - a holder that lost its lock overwrites what the next one wrote ... "refuses a holder that was overtaken"
 * - a fence beyond 32 bits is rounded ............................... "distinguishes neighbouring fences"
 * - a value stays for ever ......................................... "expires"
 * - an encrypted value opens where it was not stored ................ "belongs to its id"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Fenced } from "./fenced.ts";

describe.each(backends())("fenced values [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  let hf: Holdfast;
  let states: Fenced<{ by: string }>;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
    states = hf.fenced<{ by: string }>("states");
  });

  afterAll(async () => {
    await hf?.close();
  });

  async function send(...args: string[]): Promise<unknown> {
    return hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  it("refuses a holder that was overtaken", async () => {
    const id = randomUUID();
    const slow = await hf.lock(id, { ttl: 100, renew: false }).acquire();
    const quick = await hf.lock(id).acquire();
    expect(await states.set(id, { by: "quick" }, quick.fence)).toEqual({ status: "ok" });
    expect(await states.set(id, { by: "slow" }, slow.fence)).toEqual({ status: "stale", fence: quick.fence });
    expect(await states.set(id, { by: "quick again" }, quick.fence)).toEqual({ status: "ok" });
    expect(await states.get(id)).toEqual({ value: { by: "quick again" }, fence: quick.fence });
    await quick.release();
  });

  it("distinguishes neighbouring fences", async () => {
    const id = randomUUID();
    const fence = 2 ** 52 - 1;
    await states.set(id, { by: "first" }, fence);
    expect(await states.set(id, { by: "below" }, fence - 1)).toEqual({ status: "stale", fence });
    expect(await states.set(id, { by: "above" }, fence + 1)).toEqual({ status: "ok" });
    expect(await states.get(id)).toEqual({ value: { by: "above" }, fence: fence + 1 });
  });

  it("the highest of many racing fences wins", async () => {
    const id = randomUUID();
    const fences = Array.from({ length: 50 }, (_, nth) => ((nth * 7) % 50) + 1);
    await Promise.all(fences.map((fence) => states.set(id, { by: String(fence) }, fence)));
    expect(await states.get(id)).toEqual({ value: { by: "50" }, fence: 50 });
  });

  it("has nothing where nothing was written, and expires", async () => {
    const id = randomUUID();
    expect(await states.get(id)).toBeUndefined();
    await hf.fenced("states", { ttl: "1h" }).set(id, { by: "x" }, 1);
    const ttlMs = Number(await send("PTTL", `${prefix}:fenced:states:{${id}}`));
    expect(ttlMs).toBeGreaterThan(3_500_000);
    expect(ttlMs).toBeLessThanOrEqual(3_600_000);
  });

  it("belongs to its id when it is encrypted", async () => {
    const encrypt = { keys: { k: Buffer.alloc(32, 7).toString("hex") }, current: "k" };
    const secrets = hf.fenced<string>("secrets", { encrypt });
    const [from, to] = [randomUUID(), randomUUID()];
    await secrets.set(from, "secret", 1);
    expect(await secrets.get(from)).toEqual({ value: "secret", fence: 1 });
    const key = (id: string): string => `${prefix}:fenced:secrets:{${id}}`;
    const bytes = (await send("HGET", key(from), "value")) as Buffer;
    const call = { op: "test", class: "idempotent" } as const;
    await hf.driver.send(["HSET", key(to), "value", bytes, "fence", "1"], call, key(to));
    await send("PEXPIRE", key(to), "60000");
    await expect(secrets.get(to)).rejects.toMatchObject({ code: "CODEC" });
  });

  it("refuses options that it does not understand, by the instance's name", () => {
    expect(() => hf.fenced("states", { tll: "1h" } as object)).toThrow(/^fenced "states": tll: .*did you mean "ttl"/);
    expect(() => hf.fenced("states", 500 as never)).toThrow(/^fenced "states": options: /);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 52 + 1])("refuses %s for a fence", async (fence) => {
    await expect(states.set("a", { by: "x" }, fence)).rejects.toMatchObject({
      name: "InvalidArgumentError",
      field: "fence",
    });
  });
});
