// Jobs that this process cannot read: added with a schema that has changed since, or with a key that is gone. What could go wrong:
// - one of them hides all others: no page, no redrive ........... "are listed with the reason, and can be redriven and removed"
// - a worker that cannot read how one failed stops for all ....... "do not stop a worker", "... that claims by hand"
// - a caller that waits for its result gets an error instead ........ "are listed with the reason ..."
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

describe.each(backends("standalone", "cluster", "embedded"))("jobs that cannot be read [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const BACKOFF = { delay: 1, jitter: 0 };

  it("are listed with the reason, and can be redriven and removed", async () => {
    const name = randomUUID();
    const before = hf.queue<{ to?: string }>(name);
    const old = await before.add({}, { result: true });
    await before.add({ to: "ada" }, { delay: "1h" });
    const after = hf.queue(name, { payload: z.object({ to: z.string() }), attempts: 1 });
    await using worker = after.work(() => undefined);
    await until("it is dead", () => worker.stats().dead === 1);
    expect(await after.get(old.id)).toMatchObject({ payload: undefined, problem: expect.stringContaining("schema") });
    expect(await after.result(old.id)).toMatchObject({ status: "dead" });
    const { jobs } = await after.dead.page();
    expect(jobs).toMatchObject([
      { id: old.id, payload: undefined, problem: expect.stringContaining("to"), failures: 1 },
    ]);
    expect((await after.page({ state: "delayed" })).jobs).toMatchObject([
      { payload: { to: "ada" }, problem: undefined },
    ]);
    expect(await after.dead.redriveAll()).toBe(1);
    await until("it is dead again", () => worker.stats().dead === 2);
    expect(await after.clean({ state: "dead" })).toBe(1);
  });

  const KEYS = { old: randomBytes(32), now: randomBytes(32) };
  async function failedUnderAnOldKey(): Promise<string> {
    const name = randomUUID();
    const before = hf.queue<string>(name, { backoff: BACKOFF, encrypt: { current: "old", keys: { old: KEYS.old } } });
    const worker = before.work(() => Promise.reject(new Error("no")), { concurrency: 1 });
    await before.schedules.set("nightly", { cron: "0 0 1 1 *", payload: "payload" });
    await before.add("a");
    await until("it has failed", () => worker.stats().failed > 0);
    await worker.close();
    return name;
  }
  const now = (name: string) =>
    hf.queue<string>(name, { backoff: BACKOFF, attempts: 2, encrypt: { current: "now", keys: { now: KEYS.now } } });

  it("do not stop a worker", async () => {
    const queue = now(await failedUnderAnOldKey());
    await queue.addMany(["b", "c"]);
    const seen: string[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload));
    await until("all are over", () => worker.stats().completed === 2 && worker.stats().dead === 1);
    expect(seen.toSorted()).toEqual(["b", "c"]);
    expect((await queue.dead.page()).jobs).toMatchObject([
      { payload: undefined, problem: expect.stringContaining("key") },
    ]);
    expect((await queue.schedules.list()).schedules).toMatchObject([{ id: "nightly", payload: undefined }]);
  });

  it("do not stop one that claims by hand", async () => {
    const queue = now(await failedUnderAnOldKey());
    await queue.addMany(["b", "c"]);
    await until("those that can be read are claimed", async () => {
      for (const job of await queue.claim({ lease: "10s", count: 3 }))
        expect(await job.complete()).toEqual({ status: "ok" });
      return (await queue.counts()).dead === 1;
    });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  });
});
