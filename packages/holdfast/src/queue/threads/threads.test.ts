// What could go wrong, and the test for each:
// - a handler in a thread is not given its job ............... "runs a module's handler in threads"
// - a handler that takes the processor costs its lease ....... "a handler that blocks its thread for longer than the lease keeps its job"
// - what it throws loses its meaning ......................... "Discard, RetryAfter and failures"
// - a thread that dies stops the worker ...................... "a thread that ends fails its job, ..."
// - threads are left behind .................................. "close ends the threads"
// - calls that are called off, or wait for a thread .......... core/threads/pool.test.ts
// - a module that is none .................................... "fails where the module has no handler", "refuses"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueWorkOptions } from "../work-options.ts";

const moduleOf = (body: string) => new URL(`data:text/javascript,${encodeURIComponent(body)}`);
const BLOCK = "const block = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };";

describe.each(backends("standalone", "embedded"))("handlers in threads [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = <Payload, Result = unknown>(settings = {}) =>
    hf.queue<Payload, Result>(randomUUID(), { attempts: 1, backoff: { delay: 1, jitter: 0 }, ...settings });

  it("runs a module's handler in threads, and keeps its results", async () => {
    const queue = fresh<number, { readonly square: number }>();
    const handler = moduleOf(
      "export default ({ payload, id, name, attempt }) => ({ square: payload ** 2, about: [typeof id, name, attempt] });",
    );
    await using _worker = queue.work(handler, { threads: 2 });
    const added = await Promise.all([1, 2, 3, 4].map((each) => queue.add(each, { result: true, name: "square" })));
    const results = await Promise.all(added.map((job) => job.result()));
    expect(results).toMatchObject(
      [1, 4, 9, 16].map((square) => ({ status: "ok", value: { square, about: ["string", "square", 1] } })),
    );
  });

  it("a handler that blocks its thread for longer than the lease keeps its job", async () => {
    const queue = fresh<number>();
    await queue.add(4_000);
    await using worker = queue.work(moduleOf(`${BLOCK} export default ({ payload }) => block(payload);`), {
      lease: "3s",
      poll: "100ms",
    });
    await until("it is done", () => worker.stats().completed === 1);
    expect(worker.stats()).toMatchObject({ lost: 0, failed: 0 });
  });

  it("Discard, RetryAfter and failures mean in a thread what they mean elsewhere", async () => {
    const queue = fresh<string>({ attempts: 2 });
    const handler = moduleOf(`export default ({ payload, attempt }) => {
      if (payload === "discard") throw Object.assign(new Error("never"), { name: "Discard" });
      if (payload === "later" && attempt === 1) throw Object.assign(new Error("soon"), { name: "RetryAfter", delayMs: 1 });
      if (payload === "uncloneable") return () => 1;
      if (payload === "text") throw "a text";
    };`);
    await queue.addMany(["discard", "later", "uncloneable", "text"]);
    await using worker = queue.work(handler, { threads: 2, poll: "50ms" });
    await until("all have ended", async () => worker.stats().completed === 1 && (await queue.counts()).dead === 3);
    const { jobs } = await queue.dead.page();
    const by = new Map(jobs.map((job) => [job.payload, job]));
    expect(by.get("discard")).toMatchObject({ failures: 1, history: [{ message: "never" }] });
    expect(by.get("text")).toMatchObject({ failures: 2 });
    expect(by.get("text")!.history[0]!.message).toBe("a text");
    expect(by.get("uncloneable")!.history[0]!.message).toContain("could not be cloned");
  });

  it("a thread that ends fails its job, and another one takes its place", async () => {
    const queue = fresh<string>();
    await queue.addMany(["exit", "ok"]);
    await using worker = queue.work(
      moduleOf('export default ({ payload }) => { if (payload === "exit") process.exit(3); };'),
    );
    await until("both have ended", () => worker.stats().completed === 1 && worker.stats().dead === 1);
    const { jobs } = await queue.dead.page();
    expect(jobs[0]!.history[0]!.message).toBe("the thread of the handler ended with code 3");
  });

  it("fails where the module has no handler", async () => {
    const queue = fresh<number>();
    await queue.add(1);
    await using worker = queue.work(moduleOf("export const handler = 1;"));
    await until("it is dead", () => worker.stats().dead === 1);
    expect((await queue.dead.page()).jobs[0]!.history[0]!.message).toContain("its default export is not a function");
  });

  it("close ends the threads, and what does not stop waits again", async () => {
    const queue = fresh<number>();
    await queue.add(1);
    const worker = queue.work(moduleOf("export default () => { for (;;); };"), { drain: 1 });
    await until("it runs", () => worker.running === 1);
    await worker.close();
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, dead: 0 });
  });

  it.each<[unknown, unknown, string]>([
    [new URL("https://example.com/x.js"), {}, "handler: expected a file: URL"],
    [() => 1, { threads: 2 }, "threads: expected the URL of a module beside it"],
    [moduleOf(""), { threads: 0 }, "threads: expected a whole number"],
  ])("refuses %s with %j", (handler, given, message) => {
    expect(() => hf.queue("mails").work(handler as URL, given as QueueWorkOptions)).toThrow(
      `queue "mails": ${message}`,
    );
  });
});
