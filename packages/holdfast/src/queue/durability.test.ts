/**
 * What could go wrong, and the test for each:
 * - WAIT counts another connection's writes, and says yes too soon ....... "waits until a replica has it"
 * - a shortfall is an error, and the caller adds the job again ........... "reports a shortfall, and has added the job"
 * - an option that this server does not know is passed over .............. "refuses `aof` where the server has no WAITAOF"
 * - each job of a tick waits by itself ................................... "jobs of the same tick wait together"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends("standalone", "cluster", "sentinel", "embedded"))("durability [$name]", (backend) => {
  let hf: Holdfast;
  const hasReplicas = backend.name === "cluster" || backend.name === "sentinel";
  beforeAll(async () => {
    hf = await connect(backend.url, { ...backend.options, prefix: `test-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it.runIf(hasReplicas)("waits until a replica has it, as the queue or the call asks", async () => {
    const queue = hf.queue<number>(randomUUID(), { durability: { replicas: 1, timeout: "10s" } });
    const { id, durability } = await queue.add(1);
    expect(durability).toMatchObject({ status: "ok", aof: false });
    expect(durability!.replicas).toBeGreaterThanOrEqual(1);
    expect(await queue.get(id)).toMatchObject({ payload: 1 });
    expect(await queue.add(2, { durability: { replicas: 50, timeout: 20 } })).toMatchObject({
      status: "ok",
      durability: { status: "short" },
    });
  });

  it("reports a shortfall, and has added the job", async () => {
    const queue = hf.queue<number>(randomUUID());
    const added = await queue.add(1, { id: "a", durability: { replicas: 50, timeout: 20 } });
    expect(added).toMatchObject({ status: "ok", id: "a", durability: { status: "short", aof: false } });
    expect(await queue.add(1, { id: "a", durability: { replicas: 50, timeout: 20 } })).toMatchObject({
      status: "duplicate",
      durability: { status: "short" },
    });
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    expect((await queue.add(2)).durability).toBeUndefined();
  });

  it("jobs of the same tick wait together", async () => {
    const queue = hf.queue<number>(randomUUID(), { durability: { replicas: 50, timeout: 300 } });
    const began = performance.now();
    const added = await queue.addMany(Array.from({ length: 100 }, (_, at) => at));
    expect(performance.now() - began).toBeLessThan(100 * 300);
    expect(new Set(added.map(({ durability }) => durability?.status))).toEqual(new Set(["short"]));
    expect(await queue.counts()).toMatchObject({ waiting: 100 });
  });

  it("refuses what is no durability, at the door", async () => {
    const queue = hf.queue<number>(randomUUID());
    for (const [durability, field] of [
      [{ replicas: 0 }, "durability.replicas"],
      [{ replicas: 1.5 }, "durability.replicas"],
      [{ aof: "yes" }, "durability.aof"],
      [{ replica: 1 }, "replica"],
      [{ replicas: 1, timeout: "soon" }, "durability.timeout"],
    ] as const) {
      await expect(queue.add(1, { durability } as object)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
    }
    expect(() => hf.queue("q", { durability: {} })).toThrow(/durability.replicas/);
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
  });
});

it("durability: waits for the disk, and refuses `aof` where the server has no WAITAOF", async () => {
  await using server = await startStandalone({ persistence: true });
  await using hf = await connect(server.url, { prefix: `test-${randomUUID()}` });
  const queue = hf.queue<number>("q");
  const { engine, version } = hf.driver.caps;
  const isOld = engine === "redis" && version.startsWith("7.0.");
  const answer = await queue
    .add(1, { durability: { aof: true, timeout: "10s" } })
    .catch(({ code }: { code: string }) => ({ code }));
  const reached = { durability: { status: "ok", replicas: 0, aof: true } };
  expect(answer).toMatchObject(isOld ? { code: "UNSUPPORTED" } : reached);
  expect(await queue.counts()).toMatchObject({ waiting: isOld ? 0 : 1 });
});

it("timed unique keys that are over are cleared faster than others are added", async () => {
  await using hf = await connect("embedded://", { prefix: `test-${randomUUID()}` });
  const queue = hf.queue<number>("q");
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(
      Array.from({ length: 200 }, (_, at) => queue.add(at, { unique: { key: `${round}:${at}`, for: 1 } })),
    );
    const over = performance.now() + 5;
    while (performance.now() < over) await hf.ping();
  }
  expect(await hf.command("ZCARD", queue.key("x").replace(/user:x$/, "windows"))).toBeLessThanOrEqual(200);
});
