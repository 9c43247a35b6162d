/**
 * A transactional acknowledgement. What could go wrong, and the test for each:
 * - the writes happen but the job runs again, or the other way round ... "in one step", "killed" (test/exactly-once/kill.test.ts)
 * - a run that lost its job writes ..................................... "a run that is over"
 * - a command fails in the middle, and a half is written ............... "writes nothing where a key holds something else"
 * - what the handler does afterwards ends the job a second time ........ "what the handler does afterwards"
 * - the answer is lost, and the writes happen twice .................... "commits once where the answer is lost"
 * - a key is in another slot, a command may not run in a script ........ "refuses"
 * - the unique key stays taken, the result is not there ................ "frees", "keeps the result"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { QueueJob } from "./job.ts";
import type { QueueWorkOptions } from "./work-options.ts";
import type { Queue } from "./queue.ts";
import { commit } from "./scripts.gen.ts";

describe.each(backends("standalone", "cluster", "embedded"))("job.commit [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const text = async (key: string): Promise<string | undefined> =>
    ((await hf.command("GET", key)) as Buffer | null)?.toString();

  /** Runs one job's handler, and returns what it returned or threw. */
  async function once<T>(
    queue: Queue<number>,
    handler: (job: QueueJob<number>) => Promise<T>,
    terms?: QueueWorkOptions,
  ): Promise<{ readonly value?: T; readonly error?: unknown }> {
    let outcome: { readonly value?: T; readonly error?: unknown } | undefined;
    await using worker = queue.work(async (job) => {
      try {
        outcome = { value: await handler(job) };
      } catch (error) {
        outcome = { error };
      }
    }, terms);
    await until("it has run", () => outcome !== undefined && worker.running === 0);
    return outcome!;
  }

  it("acknowledges and writes in one step, and returns the replies", async () => {
    const queue = hf.queue<number>(randomUUID());
    const [done, log, total] = [queue.key("done:42"), queue.key("log"), queue.key("total")];
    const { id } = await queue.add(5, { unique: "once" });
    const { value } = await once(queue, async (job) => {
      expect(job.key("done:42")).toBe(done);
      const answer = await job.commit((tx) => {
        tx.queue("SET", done, Buffer.from([0, 255]));
        tx.queue("incrby", total, job.payload);
        tx.queue("INCRBYFLOAT", queue.key("share"), 0.5);
        tx.queue("HSET", queue.key("hash"), "field", 7);
        tx.queue("XADD", log, "*", "job", job.id);
        tx.queue("GETDEL", queue.key("none"));
      });
      expect(await queue.get(id)).toBeUndefined();
      return answer;
    });
    expect(value).toMatchObject({ status: "ok", replies: ["OK", 5, Buffer.from("0.5"), 1, expect.any(Buffer), null] });
    expect(await hf.command("GET", done)).toEqual(Buffer.from([0, 255]));
    expect(await text(total)).toBe("5");
    expect(await hf.command("XLEN", log)).toBe(1);
    // Its unique key is free, and nothing of it is left.
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
    expect(await queue.add(6, { unique: "once" })).toMatchObject({ status: "ok" });
  });

  it("keeps the result for those who wait for it", async () => {
    const queue = hf.queue<number, string>(randomUUID());
    const job = await queue.add(1, { result: true });
    await using _worker = queue.work(async (run) => {
      await run.commit((tx) => tx.queue("SET", run.key("a"), "1"), { result: "committed" });
      return "ignored";
    });
    expect(await job.result()).toEqual({ status: "ok", value: "committed" });
  });

  it("what the handler does afterwards changes nothing: a throw is reported, a second commit is refused", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 3 });
    const total = queue.key("total");
    const warnings: string[] = [];
    const hear = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", hear);
    let runs = 0;
    let second: unknown;
    await queue.add(1);
    await using worker = queue.work(async (job) => {
      runs += 1;
      const first = job.commit((tx) => tx.queue("INCR", total));
      const beside = job.commit((tx) => tx.queue("INCRBY", total, 100));
      await expect(beside).rejects.toMatchObject({ code: "CONFLICT" });
      await first;
      second = await job.commit((tx) => tx.queue("INCR", total)).catch((error: unknown) => error);
      throw new Error("too late");
    });
    await until("it is reported", () => warnings.some((message) => message.includes("too late")));
    process.off("warning", hear);
    await until("its slot is free", () => worker.running === 0);
    expect(second).toMatchObject({ code: "CONFLICT" });
    expect(worker.stats()).toMatchObject({ completed: 1, failed: 0, lost: 0 });
    expect(await text(total)).toBe("1");
    expect(runs).toBe(1);
    // The worker goes on, and its books agree with the server's.
    await queue.add(2);
    await until("the next one is done", () => worker.stats().completed === 2);
  });

  it("writes nothing where a key holds something else than the command wants", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 1 });
    const [first, list, word, hash] = ["first", "list", "word", "hash"].map((name) => queue.key(name)) as [
      string,
      string,
      string,
      string,
    ];
    await hf.command("RPUSH", list, "planted");
    await hf.command("SET", word, "planted");
    await hf.command("HSET", hash, "field", "planted");
    for (const [command, ...args] of [
      ["INCR", list],
      ["INCR", word],
      ["INCRBYFLOAT", word, 1],
      ["HINCRBY", hash, "field", 1],
      ["SADD", list, "x"],
      ["SET", list, "x", "GET"],
    ] as const) {
      await queue.add(1);
      const { error } = await once(queue, (job) =>
        job.commit((tx) => {
          tx.queue("SET", first, 1);
          tx.queue(command, ...args);
        }),
      );
      expect(error).toMatchObject({ code: "WRONG_TYPE" });
      expect(String(error)).toMatch(/nothing was written, for command 2/);
      expect(String(error)).not.toContain("planted");
      expect(await text(first)).toBeUndefined();
    }
  });

  it("writes nothing where the server refuses the first command's arguments, and reports what it refuses of a later one", async () => {
    const queue = hf.queue<number>(randomUUID());
    const [a, b] = [queue.key("a"), queue.key("b")];
    await queue.add(1);
    const { value } = await once(queue, async (job) => {
      const refused = await job.commit((tx) => tx.queue("SET", a, 1, "PX", -5)).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "SERVER" });
      expect(await queue.get(job.id)).toMatchObject({ state: "active" });
      return job.commit((tx) => {
        tx.queue("SET", a, 1);
        tx.queue("ZADD", b, "high", "x");
        tx.queue("INCR", a);
      });
    });
    expect(value?.replies).toEqual(["OK", expect.any(Error), 2]);
  });

  it("a run that is over writes nothing", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 5 });
    const total = queue.key("total");
    const { id } = await queue.add(1);
    const { error } = await once(queue, async (job) => {
      // As another worker takes the job, once this one's lease is over.
      const active = (await hf.command("ZRANGE", queue.key("x").replace(/user:x$/, "workers"), 0, -1)) as Buffer[];
      await hf.command("ZREM", queue.key("x").replace(/user:x$/, `active:${String(active[0])}`), job.id);
      return job.commit((tx) => tx.queue("INCR", total));
    });
    expect(error).toMatchObject({ code: "LEASE_LOST", key: id });
    expect(await text(total)).toBeUndefined();
    expect(await queue.get(id)).toBeDefined();
  });

  it("refuses at the door what a script cannot do, or not in this slot", async () => {
    const queue = hf.queue<number>(randomUUID());
    const key = queue.key("a");
    await queue.add(1);
    await once(queue, async (job) => {
      const refused: [string, unknown[], string][] = [
        ["GET", [key], "command"],
        ["BLPOP", [key, 0], "command"],
        ["EVAL", ["return 1", 0], "command"],
        ["MULTI", [], "command"],
        ["constructor", [key], "command"],
        ["SET", [key, undefined], "argument 2 of SET"],
        ["SET", [], "arguments of SET"],
      ];
      if (hf.driver.caps.cluster) refused.push(["SET", ["elsewhere", 1], "key of SET"]);
      for (const [command, args, field] of refused) {
        const caught = job.commit((tx) => tx.queue(command, ...(args as string[])));
        await expect(caught).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
      }
      await expect(job.commit(undefined as never)).rejects.toMatchObject({ field: "write" });
      const late: () => unknown = () => Promise.resolve();
      await expect(job.commit(late)).rejects.toMatchObject({ field: "write" });
      const swallowed = job.commit((tx) => {
        try {
          tx.queue("GET", key);
        } catch {
          tx.queue("SET", key, 1);
        }
      });
      await expect(swallowed).rejects.toMatchObject({ field: "command" });
      await expect(job.commit(() => {}, { results: 1 } as object)).rejects.toMatchObject({ field: "results" });
      expect(await text(key)).toBeUndefined();
      expect(await job.commit(() => {})).toEqual({ status: "ok", replies: [] });
    });
    expect(await queue.counts()).toMatchObject({ active: 0, waiting: 0 });
  });

  it("a group's next job runs when one has committed", async () => {
    const queue = hf.queue<number>(randomUUID());
    await queue.groups.set("g", { concurrency: 1 });
    await queue.addMany([1, 2, 3], { group: "g" });
    await using worker = queue.work(async (job) => {
      await job.commit((tx) => tx.queue("INCRBY", job.key("total"), job.payload));
    });
    await until("all are done", () => worker.stats().completed === 3);
    expect(await text(queue.key("total"))).toBe("6");
  });

  it("a job that waits for one which commits goes on, with its result", async () => {
    const queue = hf.queue<number, number>(randomUUID());
    const parent = await queue.add(0, { result: true, children: [queue.child(1), queue.child(2)] });
    await using _worker = queue.work(async (job) => {
      if (job.payload === 0)
        return (await job.children()).reduce((sum, child) => sum + Number(child.status === "ok" ? child.value : 0), 0);
      await job.commit((tx) => tx.queue("INCR", job.key("done")), { result: job.payload * 10 });
      return -1;
    });
    expect(await parent.result()).toEqual({ status: "ok", value: 30 });
    expect(await text(queue.key("done"))).toBe("2");
  });

  it("in a queue of several partitions a job's key is in the job's slot", async () => {
    const queue = hf.queue<number>(randomUUID(), { partitions: 4 });
    expect(() => queue.key("a")).toThrow(/several partitions/);
    await queue.addMany([1, 2, 3, 4, 5, 6, 7, 8]);
    const keys = new Set<string>();
    await using worker = queue.work(async (job) => {
      const key = job.key("total");
      keys.add(key);
      await job.commit((tx) => tx.queue("INCRBY", key, job.payload));
    });
    await until("all are done", () => worker.stats().completed === 8);
    const totals = await Promise.all([...keys].map(async (key) => Number(await text(key))));
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(36);
  });
});

it("job.commit commits once where the answer is lost", async () => {
  await using server = await startStandalone();
  await using proxy = await startProxy(server);
  const settings = {
    prefix: `test-${randomUUID()}`,
    timeout: "20s",
    pingInterval: "100ms",
    pingTimeout: "300ms",
  } as const;
  await using hf = await connect(proxy.url, settings);
  const queue = hf.queue<number>("q");
  const total = queue.key("total");
  await queue.add(1);
  let replies: unknown;
  let worker: ReturnType<typeof queue.work> | undefined;
  await losingAnswer(proxy, commit, async () => {
    worker = queue.work(async (job) => {
      ({ replies } = await job.commit((tx) => tx.queue("INCR", total)));
    });
    await until("it is committed", () => replies !== undefined);
  });
  await until("it is counted", () => worker!.stats().completed === 1);
  await worker!.close();
  expect(replies).toEqual([1]);
  expect(String(await hf.command("GET", total))).toBe("1");
});
