// Faults that an adversary looks for in flows and steps, and the test for each:
// - a child dies while the job that spawned it still runs, and that one never hears of it ... "dies of a child that died before it waited"
// - a job is given up because of a child, and what it did stays done ......................... "undoes what it did when a child is dead"
// - a run that is to undo ends well, as the handler returns before its steps ................. "does not end well where ..."
// - an outage while it undoes, or a compensation that is not reached, counts as done ......... "goes on undoing ..."
// - the request that adds a child comes twice, the second time after the child is over ....... "a child that is over is not added again"
// - a batch of one id is opened again after some of its callbacks have run ................... "a batch is opened once, ..."
// - a batch takes no more jobs since one of its callbacks has run ............................ "takes jobs until it is closed ..."
// - an id is used again while an earlier flow of it is being added ........................... "a flow that uses an id again ..."
// - a name in a run that means two things .................................................... "refuses a second spawn of one name"
// - a signal that comes too late changes what later runs do, or ends a delay that is not its "a signal that comes too late ..."
// - a dead job is sent a signal that a redrive drops ......................................... the same
// - names and ids that break a reference, or grow past what an id may be ..................... "takes any names"
// - what is encrypted lies about in clear .................................................... "hands results on encrypted ..."
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import { StepStore } from "../steps/step-store.ts";
import { FlowStore } from "./flow-store.ts";
import { Post } from "./post.ts";

describe.each(backends())("faults of flows and steps [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) =>
    hf.queue<string>(randomUUID(), { attempts: 1, backoff: { delay: 1, jitter: 0 }, ...settings });

  const valuesAt = async (key: string): Promise<string[]> =>
    ((await hf.command("HVALS", key)) as unknown[]).map(String);

  it("dies of a child that died before it waited", async () => {
    const queue = fresh();
    // oxlint-disable-next-line unbound-method
    const carryOut = Post.prototype.carryOut;
    const dead = new Deferred<undefined>();
    // The child dies, and that is told, before the run of the one that spawned it has ended.
    const slow = vi.spyOn(Post.prototype, "carryOut").mockImplementationOnce(async function (this: Post, name, plan) {
      await carryOut.call(this, name, plan);
      await dead.promise;
    });
    const ran: string[] = [];
    await using _worker = queue.work(async (job) => {
      ran.push(job.payload);
      if (job.payload === "broken") throw new Error("no such file");
      await job.spawn("parts", [queue.child("broken"), queue.child("late", { delay: "1h" })]);
    });
    const job = await queue.add("parent", { result: true });
    await until("the child is dead and that is told", async () => {
      for await (const keys of hf.scan(`queue:{${queue.name}}:children:`))
        for (const key of keys) if ((await valuesAt(key)).some((value) => value.startsWith("f"))) return true;
      return false;
    });
    dead.resolve(undefined);
    slow.mockRestore();
    expect(await job.result()).toMatchObject({ status: "dead", message: expect.stringContaining("is dead") });
    expect(ran.toSorted()).toEqual(["broken", "parent"]);
  });

  it("undoes what it did when a child is dead, and is dead for that reason", async () => {
    const queue = fresh();
    const log: string[] = [];
    await using _worker = queue.work(async (job) => {
      if (job.payload === "broken") throw new Error("no such file");
      await job.step("charge", () => void log.push("charge"));
      await job.compensate("refund", () => log.push("refund"));
      await job.spawn("parts", [queue.child("broken"), queue.child("late", { delay: "1h" })]);
      log.push("never");
    });
    const job = await queue.add("parent", { result: true });
    expect(await job.result()).toMatchObject({ status: "dead", message: expect.stringContaining("is dead") });
    expect(log).toEqual(["charge", "refund"]);
  });

  it("does not end well where a run that is to undo returns before its steps, and says what was missed", async () => {
    const queue = fresh({ attempts: 2 });
    const log: string[] = [];
    await using worker = queue.work(async (job) => {
      if (job.payload === "order" && log.length >= 2) return;
      await job.compensate("refund", () => log.push("refund"));
      log.push("run");
      throw new Error("no lorry");
    });
    const job = await queue.add("order", { result: true });
    expect(await job.result()).toMatchObject({ status: "dead", message: expect.stringContaining('"refund"') });
    expect(worker.stats()).toMatchObject({ completed: 0, dead: 1 });
  });

  it("goes on undoing after an outage in the middle", async () => {
    const queue = fresh({ attempts: 2 });
    const log: string[] = [];
    // oxlint-disable-next-line unbound-method
    const save = StepStore.prototype.save;
    const lost = vi.spyOn(StepStore.prototype, "save").mockImplementation(function (this: StepStore, ...args) {
      if (args[1] === "dsecond" && log.filter((word) => word === "second").length === 1)
        return Promise.reject(new Error("the server is away"));
      return save.apply(this, args);
    });
    await using _worker = queue.work(async (job) => {
      await job.compensate("first", () => log.push("first"));
      await job.compensate("second", () => log.push("second"));
      throw new Discard("given up");
    });
    const job = await queue.add("order", { result: true });
    expect(await job.result()).toMatchObject({ status: "dead" });
    lost.mockRestore();
    expect(log).toEqual(["second", "second", "first"]);
  });

  it("a child that is over is not added again by a request that comes twice", async () => {
    const queue = fresh();
    // oxlint-disable-next-line unbound-method
    const add = FlowStore.prototype.add;
    const nodes: (() => Promise<unknown>)[] = [];
    const spied = vi.spyOn(FlowStore.prototype, "add").mockImplementation(function (this: FlowStore, node) {
      nodes.push(() => add.call(this, node));
      return add.call(this, node);
    });
    let runs = 0;
    await using _worker = queue.work((job) => (job.payload === "child" ? (runs += 1) : 0));
    const job = await queue.add("parent", { children: [queue.child("child")], result: true });
    expect(await job.result()).toMatchObject({ status: "ok" });
    spied.mockRestore();
    for (const again of nodes) await again();
    await until("nothing is left", async () => {
      const { waiting, active } = await queue.counts();
      return waiting + active === 0;
    });
    expect(runs).toBe(1);
  });

  it("a batch is opened once, whoever closes it, and however often", async () => {
    const queue = fresh();
    const called: string[] = [];
    await using worker = queue.work((job) => {
      if (job.payload === "broken") throw new Discard("no such file");
      called.push(job.payload);
    });
    const callbacks = { id: "nightly", onSuccess: "success", onDead: "dead", onComplete: "complete" };
    await queue.batch(callbacks).add([queue.child("broken")]);
    await until("one was called", () => called.length === 1 && worker.running === 0);
    await queue.batch(callbacks).close();
    await until("the other one was called", () => called.length === 2 && worker.running === 0);
    await queue.batch(callbacks).close();
    expect(await queue.batch(callbacks).add([queue.child("late")])).toEqual({ status: "closed" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0, active: 0 });
    expect(called).toEqual(["dead", "complete"]);
  });

  it("a batch takes jobs until it is closed, also after one has died", async () => {
    const queue = fresh();
    const called: string[] = [];
    await using _worker = queue.work((job) => {
      if (job.payload === "broken") throw new Discard("no such file");
      called.push(job.payload);
    });
    const batch = queue.batch({ onDead: "dead", onComplete: "complete" });
    await batch.add([queue.child("broken")]);
    await until("it is known", () => called.includes("dead"));
    expect(await batch.add([queue.child("more")])).toEqual({ status: "ok" });
    await batch.close();
    await until("it is complete", () => called.includes("complete"));
    expect(called).toEqual(["dead", "more", "complete"]);
  });

  it("a flow that uses an id again has a plan of its own", async () => {
    const queue = fresh();
    const dies = vi.spyOn(Post.prototype, "carryOut").mockResolvedValue();
    await queue.add("first", { id: "one", children: [queue.child("a")] });
    await queue.remove("one");
    await queue.add("second", { id: "one", children: [queue.child("b")] });
    dies.mockRestore();
    const plans: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue.name}}:plan:`)) plans.push(...keys);
    expect(plans).toHaveLength(2);
  });

  it("refuses a second spawn of one name in one run", async () => {
    const queue = fresh();
    await using _worker = queue.work(async (job) => {
      if (job.payload !== "parent") return;
      await job.spawn("parts", [queue.child("a")]);
      await job.spawn("parts", [queue.child("b")]);
    });
    const job = await queue.add("parent", { result: true });
    expect(await job.result()).toMatchObject({ status: "dead", message: expect.stringContaining("another name") });
  });

  it("a signal that comes too late changes nothing: not what later runs see, not a delay, not a dead job", async () => {
    const queue = fresh({ attempts: 2, backoff: { type: "fixed", delay: "1h", jitter: 0 } });
    const seen: string[] = [];
    await using _worker = queue.work(
      async (job) => {
        seen.push((await job.waitFor("go", { timeout: 20 })).status);
        throw new Error("not now");
      },
      { poll: 50 },
    );
    const { id } = await queue.add("order");
    await until("it failed", async () => (await queue.get(id))?.failures === 1);
    await queue.signal(id, "go");
    expect(await queue.get(id)).toMatchObject({ state: "delayed" });
    expect(seen).toEqual(["expired"]);
    const other = fresh();
    await using _other = other.work(() => Promise.reject(new Error("no")));
    const dead = await other.add("order");
    await until("it is dead", async () => (await other.counts()).dead === 1);
    expect(await other.signal(dead.id, "go")).toEqual({ status: "missing" });
  });

  it("takes any names: long ones, with slashes, braces, percents, quotes and emoji", async () => {
    const queue = fresh();
    const names = ["a/b{c}%d:e", 'it\'s "quoted"\\', "🦀".repeat(40), "n".repeat(200)];
    const ids: string[] = [];
    await using _worker = queue.work(async (job) => {
      if (!names.includes(job.payload)) return void ids.push(job.id);
      const results = await job.spawn(job.payload, [queue.child("child")]);
      return [results.map(({ status }) => status), await job.step(job.payload, () => job.payload)];
    });
    for (const name of names) {
      const job = await queue.add(name, { id: name, result: true });
      expect(await job.result()).toEqual({ status: "ok", value: [["ok"], name] });
    }
    for (const id of ids) expect(await queue.get(id)).toBeUndefined();
  });

  it("hands results on encrypted where the queue is", async () => {
    const encrypt = { keys: { one: randomBytes(32) }, current: "one" };
    const queue = fresh({ encrypt });
    const gate = new Deferred<undefined>();
    await using _worker = queue.work(async (job) => {
      if (job.payload === "child") return "a secret";
      await gate.promise;
      return (await job.children()).map((child) => (child.status === "ok" ? child.value : child.status));
    });
    const job = await queue.add("parent", { children: [queue.child("child")], result: true });
    await until("the parent runs", async () => (await queue.get(job.id))?.state === "active");
    for await (const keys of hf.scan(`queue:{${queue.name}}:children:`))
      for (const key of keys) {
        const values = await valuesAt(key);
        expect(values).toEqual([expect.stringMatching(/^o\["/)]);
        expect(values.join()).not.toContain("secret");
      }
    gate.resolve(undefined);
    expect(await job.result()).toEqual({ status: "ok", value: ["a secret"] });
  });
});
