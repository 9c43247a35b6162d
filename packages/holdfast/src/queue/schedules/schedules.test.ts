// What could go wrong, and the test for each:
// - several tickers add one tick twice ...................... "each tick has one job, however many tick"
// - a process that sets its schedules shifts or repeats them "setting it again leaves the next tick alone"
// - a change is heard only at the next poll ................. "a ticker that sleeps hears of a sooner tick"
// - a change loses a tick that is due ....................... "a tick that is due survives a change that has it too"
// - a ticker goes on with what was changed or removed ....... "a tick of a schedule that was changed, paused or removed meanwhile ..."
// - a late copy of a tick adds its job again ................ "a late copy of a tick changes nothing"
// - the previous run decides whether the next one comes ..... "ticks although no job is ever run", "overlap ..."
// - a part of the state is lost, and it never ticks again ... "set mends a schedule of which a part was lost"
// - very many are due at once ............................... "many schedules due at once are ticked in chunks"
// - a payload of another kind, or in clear text ............. "checks payloads ...", "encrypts ..."
// Longer than other files: each promise of a schedule is tried on its own.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import { Core } from "../../core/core.ts";
import { Keyspace } from "../../core/keyspace/keyspace.ts";
import type { Holdfast } from "../../holdfast.ts";
import { QueueKeys } from "../keys.ts";
import { ScheduleKeys } from "./keys.ts";
import { reckon } from "./reckoning.ts";
import { decodePlan, decodeState } from "./state.ts";
import { ScheduleStore, type TickWork } from "./store.ts";

const HOURLY = { cron: "0 * * * *", payload: 1 } as const;
const FAR = { every: "365d", payload: 1 } as const;

describe.each(backends())("schedules [$name]", ({ url, options }) => {
  const prefix = `s-${randomUUID()}`;
  let hf: Holdfast;
  let name: string;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf?.close());

  const fresh = () => {
    name = randomUUID();
    return hf.queue<number>(name).schedules;
  };
  /** A command's reply as text, and a list's as a list of texts. */
  const ask = async (...command: [string, ...(string | number)[]]): Promise<string> =>
    String(await hf.command(...command));
  /** The jobs that wait, oldest first. */
  const waiting = async (lane = "normal") => {
    const ids = (await hf.command("LRANGE", `${prefix}:queue:{${name}}:${lane}`, 0, -1)) as Buffer[];
    return ids.map(String);
  };
  const part = (which: string) => `${prefix}:queue:{${name}}:${which}`;
  const storeOf = () => {
    const group = new Keyspace(prefix).group("queue", name);
    const core = new Core(hf.driver, { keys: new Keyspace(prefix), codec: {} });
    const [queue, keys] = [new QueueKeys(group), new ScheduleKeys(group)];
    return new ScheduleStore(core, {
      queue,
      keys,
      timeoutMs: undefined,
      cancelled: { outcome: () => Buffer.from("x"), keepMs: 60_000 },
      jobHead: "",
    });
  };
  const worksOf = (due: Awaited<ReturnType<ScheduleStore["due"]>>): TickWork[] =>
    due.ids.map((id, at) => {
      const [seen, plan] = [due.states[at]!, decodePlan(due.plans[at]!)];
      return { id, seen, plan, reckoning: reckon(id, plan, decodeState(seen), due.nowMs) };
    });
  const isDue = async (store: ScheduleStore) => {
    let due = await store.due();
    await until("it is due", async () => (due = await store.due()).ids.length > 0);
    return due;
  };

  it("is set, read, listed and removed", async () => {
    const schedules = fresh();
    const set = await schedules.set("b", {
      cron: " 0  7 * * 1-5 ",
      timeZone: "Europe/Berlin",
      payload: 7,
      missed: { catchUp: 3 },
      overlap: "skip",
      max: 2,
      priority: "high",
      attempts: 9,
    });
    expect(set).toMatchObject({
      id: "b",
      payload: 7,
      cron: "0 7 * * 1-5",
      timeZone: "Europe/Berlin",
      missed: { catchUp: 3 },
      overlap: "skip",
      graceMs: 60_000,
      max: 2,
      priority: "high",
      attempts: 9,
      isPaused: false,
      runs: 0,
      missedTicks: 0,
      skippedTicks: 0,
      lateRuns: 0,
      last: undefined,
      owner: undefined,
    });
    expect(set.next).toHaveLength(2);
    expect(await schedules.get("b")).toEqual(set);
    await Promise.all(["a", "d", "c"].map((id) => schedules.set(id, HOURLY)));
    const first = await schedules.list({ limit: 3 });
    expect(first.schedules.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    const rest = await schedules.list({ limit: 3, cursor: first.cursor! });
    expect([rest.schedules.map(({ id }) => id), rest.cursor]).toEqual([["d"], undefined]);
    expect([await schedules.remove("b"), await schedules.remove("b"), await schedules.get("b")]).toEqual([
      true,
      false,
      undefined,
    ]);
    expect(await hf.command("ZCARD", part("ticks"))).toBe(3);
  });

  it("setting it again leaves the next tick alone, and a change of its times computes it", async () => {
    const schedules = fresh();
    const { next } = await schedules.set("s", { every: "1h", payload: 1 });
    const stored = await ask("HGET", part("scheduleStates"), "s");
    expect(await schedules.set("s", { every: "1h", payload: 1 })).toMatchObject({ next });
    expect(await ask("HGET", part("scheduleStates"), "s")).toBe(stored);
    expect(await schedules.set("s", { every: "1h", payload: 2, overlap: "skip" })).toMatchObject({ next, payload: 2 });
    const changed = await schedules.set("s", { every: "2h", payload: 2 });
    expect(changed.next[1]! - changed.next[0]!).toBe(7_200_000);
  });

  it("each tick has one job, however many tick", async () => {
    const schedules = fresh();
    const handles = await Promise.all(Array.from({ length: 3 }, () => connect(url, { ...options, prefix })));
    const ids = ["a", "b", "c"];
    for (const id of ids) await schedules.set(id, { every: 100, payload: 1, missed: { catchUp: 1_000 } });
    const tickers = handles.flatMap((handle) => {
      const theirs = handle.queue<number>(name).schedules;
      return [theirs.run({ poll: 50 }), theirs.run({ poll: 50 })];
    });
    await until("many ticks came", async () => (await waiting()).length > 60);
    await Promise.all(tickers.map((ticker) => ticker.close()));
    await Promise.all(handles.map((handle) => handle.close()));
    const jobs = await waiting();
    for (const id of ids) {
      const ticks = jobs.filter((job) => job.startsWith(`${id}@`)).map((job) => Number(job.slice(2)));
      expect(ticks).toEqual(ticks.map((_, at) => ticks[0]! + at * 100));
      expect(await schedules.get(id)).toMatchObject({ runs: ticks.length, missedTicks: 0 });
    }
    expect(tickers.reduce((sum, ticker) => sum + ticker.stats().added, 0)).toBe(jobs.length);
  });

  it("adds a job like any other, with its payload and its options, and wakes who listens", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 7, max: 1, priority: "low", attempts: 2 });
    await using _ticker = schedules.run();
    await until("it ticked", async () => (await waiting("low")).length === 1);
    const { last, next } = (await schedules.get("s"))!;
    expect(next).toEqual([]);
    expect(await waiting("low")).toEqual([last!.jobId]);
    const record = await ask("HGET", part("jobs"), last!.jobId);
    expect(record.slice(13)).toContain(`3{"s":${last!.scheduledFor},"a":2}\n`);
    expect(await hf.queue<number>(name).get(last!.jobId)).toMatchObject({ payload: 7, state: "waiting" });
    const ran: (number | undefined)[] = [];
    await using _worker = hf.queue<number>(name).work((job) => void ran.push(job.scheduledFor), { poll: "1m" });
    await until("it ran", () => ran.length === 1);
    await schedules.set("t", { every: 100, payload: 8, max: 1 });
    await until("a worker with nothing to do hears of it", () => ran.length === 2);
    expect(ran).toEqual([last!.scheduledFor, (await schedules.get("t"))!.last!.scheduledFor]);
  });

  it("a worker ticks; several of one queue in a process have one ticker, until the last of them is closed", async () => {
    const schedules = fresh();
    const queue = hf.queue<number>(name);
    const [ran, closed]: [string[], string[]] = [[], []];
    const first = queue.work((job) => void ran.push(job.id));
    await using second = queue.work((job) => void ran.push(job.id));
    await schedules.set("s", { every: 100, payload: 1 });
    await until("it ticks", () => ran.length >= 2);
    await first.close();
    closed.push(...ran);
    await until("it goes on", () => ran.length >= closed.length + 2);
    await second.close();
    const { runs } = (await schedules.get("s"))!;
    const { nowMs } = await storeOf().due();
    await until("time has passed", async () => (await storeOf().due()).nowMs > nowMs + 300);
    expect((await schedules.get("s"))!.runs).toBe(runs);
    expect(new Set(ran).size).toBe(ran.length);
  });

  it("in a queue of several partitions its jobs are found by their ids", async () => {
    fresh();
    const queue = hf.queue<number>(name, { partitions: 4 });
    await queue.schedules.set("s", { every: 100, payload: 7, max: 1, overlap: "skip" });
    await using ticker = queue.schedules.run();
    await until("it ticked", () => ticker.stats().added === 1);
    const { last } = (await queue.schedules.get("s"))!;
    expect(await queue.get(last!.jobId)).toMatchObject({ payload: 7, state: "waiting" });
    const now = await queue.schedules.runNow("s");
    expect(await queue.get((now as { jobId: string }).jobId)).toMatchObject({ payload: 7 });
    const ran: string[] = [];
    await using _worker = queue.work((job) => void ran.push(job.id));
    await until("both run", () => ran.length === 2);
  });

  it("a ticker that sleeps hears of a sooner tick", async () => {
    const schedules = fresh();
    await schedules.set("far", FAR);
    await using ticker = schedules.run({ poll: "10m" });
    await until("it sleeps", async () => {
      await schedules.set("soon", { every: 100, payload: 1, max: 1 });
      return ticker.stats().added > 0;
    });
    expect(await schedules.get("soon")).toMatchObject({ runs: 1 });
  });

  it("a late copy of a tick changes nothing", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 200, payload: 1, max: 2 });
    const store = storeOf();
    const works = worksOf(await isDue(store));
    expect(await store.tick(works)).toMatchObject({ added: 1, stale: 0 });
    expect(await store.tick(works)).toMatchObject({ added: 0, stale: 1 });
    await hf.command("DEL", part("jobs"));
    expect(await store.tick(works)).toMatchObject({ added: 0, stale: 1 });
    expect(await schedules.get("s")).toMatchObject({ runs: 1 });
  });

  it.each([
    ["changed", (s: ReturnType<typeof fresh>) => s.set("s", FAR)],
    ["paused", (s: ReturnType<typeof fresh>) => s.pause("s")],
    ["removed", (s: ReturnType<typeof fresh>) => s.remove("s")],
    ["removed and set again", (s: ReturnType<typeof fresh>) => s.remove("s").then(() => s.set("s", FAR))],
  ])("a tick of a schedule that was %s meanwhile changes nothing", async (_, meanwhile) => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 1 });
    const store = storeOf();
    const works = worksOf(await isDue(store));
    await meanwhile(schedules);
    const before = await ask("HGET", part("scheduleStates"), "s");
    expect(await store.tick(works)).toMatchObject({ added: 0, stale: 1 });
    expect(await ask("HGET", part("scheduleStates"), "s")).toBe(before);
    expect(await waiting()).toEqual([]);
  });

  it("a tick that is due survives a change that has it too", async () => {
    const schedules = fresh();
    const first = await schedules.set("s", { every: 200, payload: 1 });
    await isDue(storeOf());
    const changed = await schedules.set("s", { every: 100, payload: 2 });
    expect(changed.next[0]).toBe(first.next[0]);
  });

  it("pauses and resumes without making up for the time between; runNow adds a job beside the plan", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 1 });
    expect(await schedules.pause("s")).toEqual({ status: "ok" });
    expect(await schedules.pause("s")).toEqual({ status: "ok" });
    expect(await schedules.get("s")).toMatchObject({ isPaused: true, next: [] });
    await using _ticker = schedules.run({ poll: 20 });
    const { jobId } = (await schedules.runNow("s")) as { jobId: string };
    expect(await waiting()).toEqual([jobId]);
    const pausedFrom = Number((await ask("HGET", part("scheduleStates"), "s")).split(" ")[1]);

    await until("ticks would have come", async () => (await storeOf().due()).nowMs > pausedFrom + 300);
    expect(await schedules.get("s")).toMatchObject({ runs: 0, missedTicks: 0 });
    const { nowMs } = await storeOf().due();
    expect(await schedules.resume("s")).toEqual({ status: "ok" });
    await until("it ticks", async () => (await schedules.get("s"))!.runs > 0);
    expect((await schedules.get("s"))!.missedTicks).toBe(0);
    expect(Number((await waiting())[1]!.slice(2))).toBeGreaterThan(nowMs);
    const none = ["pause", "resume", "runNow"] as const;
    for (const verb of none) expect(await schedules[verb]("none")).toEqual({ status: "missing" });
  });

  it("ticks although no job is ever run", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 1 });
    await using ticker = schedules.run({ poll: 50 });
    await until("it has ticked three times", () => ticker.stats().added >= 3);
    expect((await schedules.get("s"))!.runs).toBeGreaterThanOrEqual(3);
  });

  it("overlap skip adds nothing while the job of the last tick is not over", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 1, overlap: "skip", missed: { catchUp: 1_000 } });
    await using ticker = schedules.run({ poll: 50 });
    await until("ticks were skipped", () => ticker.stats().skipped >= 2);
    expect(await waiting()).toHaveLength(1);
    await hf.queue(name).remove((await waiting())[0]!);
    await until("it goes on", () => ticker.stats().added === 2);
  });

  it("overlap bufferOne holds one tick back until the job before it is over", async () => {
    const schedules = fresh();
    await schedules.set("s", { every: 100, payload: 1, overlap: "bufferOne", missed: { catchUp: 1_000 }, max: 2 });
    await using ticker = schedules.run({ poll: 50 });
    await until("ticks were skipped", () => ticker.stats().skipped >= 2);
    const [first] = await waiting();
    expect(await waiting()).toHaveLength(1);
    await hf.queue(name).remove(first!);
    await until("the one that was held back is added", () => ticker.stats().added === 2);
    expect(Number((await waiting())[1]!.slice(2))).toBe(Number(first!.slice(2)) + 100);
    expect(await schedules.get("s")).toMatchObject({ runs: 2, next: [] });
  });

  it("overlap cancelOther cancels the job of the tick before, whether it waits or runs", async () => {
    const schedules = fresh();
    const queue = hf.queue<number>(name);
    const reasons: unknown[] = [];
    await schedules.set("s", { every: 100, payload: 1, overlap: "cancelOther", missed: { catchUp: 1_000 }, max: 4 });
    await using worker = queue.work(
      ({ signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            reasons.push((signal.reason as Error).cause);
            resolve();
          });
        }),
      { poll: 50, concurrency: 1 },
    );
    const isLeft = async () => {
      const { last, next } = (await schedules.get("s"))!;
      const { active, waiting: some } = await queue.counts();
      return next.length === 0 && active === 1 && some === 0 && (await queue.get(last!.jobId))?.state === "active";
    };
    await until("only the last one is left", isLeft);
    expect(reasons.every((reason) => reason === "the next tick of its schedule came")).toBe(true);
    const { last } = (await schedules.get("s"))!;
    await queue.cancel(last!.jobId, "over");
    await until("it is over", () => reasons.at(-1) === "over");
    expect(worker.stats()).toMatchObject({ failed: 0, lost: 0 });
  });

  it("overlap cancelOther: of ticks that are due at once only the last one has a job", async () => {
    const schedules = fresh();
    const queue = hf.queue<number>(name);
    await schedules.set("s", {
      every: 100,
      payload: 1,
      overlap: "cancelOther",
      missed: { catchUp: 1_000 },
      grace: "1h",
    });
    const store = storeOf();
    let due = await isDue(store);
    await store.tick(worksOf(due));
    const [first] = await waiting();
    const result = queue.result(first!);
    await until("several are due", async () => {
      due = await store.due();
      return worksOf(due).some(({ reckoning }) => reckoning.ticks.length >= 3);
    });
    const { ticks } = worksOf(due)[0]!.reckoning;
    expect(await store.tick(worksOf(due))).toMatchObject({ added: 1, skipped: ticks.length - 1, stale: 0 });
    expect(await store.tick(worksOf(due))).toMatchObject({ added: 0, skipped: 0, stale: 1 });
    const counts = await queue.counts();
    expect(counts).toMatchObject({ waiting: 1, active: 0 });
    expect(await queue.get(first!)).toBeUndefined();
    expect(await queue.get(`s@${ticks.at(-1)!.at}`)).toMatchObject({ state: "waiting" });
    expect((await queue.page({ state: "waiting" })).jobs).toHaveLength(1);
    expect(await result).toEqual({ status: "cancelled", reason: undefined });
  });

  it("sync removes what its owner dropped, and nothing else", async () => {
    const schedules = fresh();
    await schedules.set("mine", HOURLY);
    await schedules.sync("other", { theirs: HOURLY });
    expect(await schedules.sync("app", { a: HOURLY, b: FAR })).toEqual({ removed: [] });
    const before = (await schedules.get("a"))!;
    expect(await schedules.sync("app", { a: HOURLY, c: HOURLY })).toEqual({ removed: ["b"] });
    expect(await schedules.get("a")).toEqual(before);
    expect(before.owner).toBe("app");
    const { schedules: left } = await schedules.list();
    expect(left.map(({ id }) => id)).toEqual(["a", "c", "mine", "theirs"]);
    await expect(schedules.sync("app", { d: HOURLY, e: { cron: "x", payload: 1 } })).rejects.toThrow(/cron/);
    expect(await schedules.get("d")).toBeUndefined();
  });

  it.each(["schedules", "scheduleStates", "ticks", "scheduleNames"])(
    "set mends a schedule of which a part was lost (%s)",
    async (lost) => {
      const schedules = fresh();
      await schedules.set("s", { every: 100, payload: 1, max: 3 });
      await hf.command("DEL", part(lost));
      await using ticker = schedules.run({ poll: 20 });
      await schedules.set("s", { every: 100, payload: 2, max: 3 });
      await until("it ticks", () => ticker.stats().added === 3);
      expect((await schedules.list()).schedules).toMatchObject([{ id: "s" }]);
    },
  );

  it("many schedules due at once are ticked in chunks, each once", async () => {
    const schedules = fresh();
    const count = 350;
    const definitions = Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`s${at}`, { every: 500, payload: at, max: 1 }]),
    );
    await schedules.sync("app", definitions);
    await using first = schedules.run({ poll: 50 });
    await using second = schedules.run({ poll: 50 });
    await until("all have ticked", () => first.stats().added + second.stats().added === count);
    expect(new Set(await waiting()).size).toBe(count);
    expect((await waiting()).length).toBe(count);
  });

  it("checks payloads when they are set, and encrypts them on the server", async () => {
    fresh();
    const schema = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "string" ? { value } : { issues: [{ message: "not a string" }] },
      },
    } as const;
    const encrypt = { keys: { k: Buffer.alloc(32, 7) }, current: "k" };
    const { schedules } = hf.queue<string>(name, { payload: schema, encrypt });
    await expect(schedules.set("s", { every: 100, payload: 5 as never })).rejects.toMatchObject({ code: "CODEC" });
    await schedules.set("s", { every: 100, payload: "top secret", max: 1 });
    expect(await schedules.get("s")).toMatchObject({ payload: "top secret" });
    await using ticker = schedules.run({ poll: 50 });
    await until("it ticked", () => ticker.stats().added === 1);
    const stored = `${await ask("HVALS", part("schedules"))} ${await ask("HVALS", part("jobs"))}`;
    expect(stored).not.toContain("secret");
  });
});
