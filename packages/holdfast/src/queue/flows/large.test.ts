// What could go wrong with flows that are written down in pieces, and the test for each:
// - jobs are lost, doubled, or forgotten by the one that waits .. "adds and waits for each of them"
// - a second spawn takes the place of the first ................. "spawns beside what was spawned before"
// - a callback of a batch waits for some of them only ........... "batches"
// - what is left where the step is never taken stays for ever ... "a plan that never counts expires"
// - a retry lets the job wait for some of them only ............. "retries"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

const MANY = 620;
const numbers = Array.from({ length: MANY }, (_, at) => at);

describe.each(backends("standalone", "cluster", "embedded"))("large flows [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = () => hf.queue<number, number>(randomUUID(), { attempts: 1 });
  const keysOf = async (queue: string, kind: string) => {
    const found: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue}}:${kind}`)) found.push(...keys);
    return found;
  };
  const PARENT = -1;

  it("adds and waits for each of them, in their order, and leaves nothing behind", async () => {
    const queue = fresh();
    const ran: number[] = [];
    await using _worker = queue.work(
      async (job) => {
        ran.push(job.payload);
        if (job.payload !== PARENT) return job.payload;
        const children = await job.children();
        return children.every((child, at) => child.status === "ok" && child.value === at) ? children.length : PARENT;
      },
      { concurrency: 100 },
    );
    const job = await queue.add(PARENT, { children: numbers.map((each) => queue.child(each)), result: true });
    expect(await job.result()).toEqual({ status: "ok", value: MANY });
    expect(new Set(ran).size).toBe(MANY + 1);
    expect(ran).toHaveLength(MANY + 1);
    for (const kind of ["staged", "plan", "children"]) expect(await keysOf(queue.name, kind)).toEqual([]);
  });

  it("spawns beside what was spawned before, whichever are more", async () => {
    const queue = fresh();
    await using _worker = queue.work(
      async (job) => {
        if (job.payload >= 0) return job.payload;
        const sizes = job.payload === PARENT ? [10, MANY, 300] : [MANY, 300, 10];
        let total = 0;
        for (const [at, size] of sizes.entries())
          total += (
            await job.spawn(
              `s${at}`,
              numbers.slice(0, size).map((each) => queue.child(each)),
            )
          ).length;
        return total;
      },
      { concurrency: 100 },
    );
    const jobs = await Promise.all([queue.add(PARENT, { result: true }), queue.add(PARENT - 1, { result: true })]);
    for (const job of jobs) expect(await job.result()).toEqual({ status: "ok", value: MANY + 310 });
  });

  it("batches call back once for all of them, also where some wait for others", async () => {
    const queue = fresh();
    const ran: number[] = [];
    await using worker = queue.work((job) => ran.push(job.payload), { concurrency: 100 });
    const batch = queue.batch({ onComplete: PARENT, onSuccess: PARENT - 1, onDead: PARENT - 2 });
    expect(await batch.add(numbers.map((each) => queue.child(each)))).toEqual({ status: "ok" });
    const deep = numbers.map((each) => queue.child(each, each === 0 ? { children: [queue.child(MANY)] } : {}));
    expect(await batch.add(deep)).toEqual({ status: "ok" });
    await batch.close();
    await until("all are done", () => worker.stats().completed === 2 * MANY + 3);
    expect(ran.filter((each) => each < 0).toSorted((one, other) => one - other)).toEqual([PARENT - 1, PARENT]);
    expect(ran.slice(0, 2 * MANY + 1).every((each) => each >= 0)).toBe(true);
    expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0, active: 0, dead: 0 });
  });

  it("a plan that never counts expires", async () => {
    const queue = fresh();
    await queue.add(PARENT, { id: "taken", delay: "1h" });
    const children = numbers.map((each) => queue.child(each));
    expect(await queue.add(PARENT, { id: "taken", children })).toMatchObject({ status: "duplicate" });
    for (const kind of ["staged", "plan"]) {
      const [key] = await keysOf(queue.name, kind);
      expect(Number(await hf.command("PTTL", key!))).toBeGreaterThan(0);
    }
    expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0 });
  });

  it("retries all that died, and the job waits for each of them", async () => {
    const queue = fresh();
    let isBroken = true;
    await using _worker = queue.work(
      (job) => {
        if (isBroken) throw new Error("not now");
        return job.payload;
      },
      { concurrency: 100 },
    );
    const children = numbers.map((each) => queue.child(each));
    const job = await queue.add(PARENT, { children, result: true });
    await until("all are dead", async () => (await queue.counts()).dead === MANY + 1);
    isBroken = false;
    expect(await queue.flows.retry(job.id)).toBe(MANY);
    await until("all are done", async () => {
      const { waiting, blocked, active, dead } = await queue.counts();
      return waiting + blocked + active + dead === 0;
    });
  });
});
