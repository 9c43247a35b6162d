// What could go wrong, and the test for each:
// - an option that is not understood is ignored .............. "a queue refuses", "add refuses", "work refuses"
// - a raw TypeError reaches the user, or a server is asked .... "refuses an id", "refuses what is no list"
// - a worker on a closed handle looks as if it ran ........... "work refuses a closed handle"
// - a very long list takes every place of the handle ......... "adds 20,000 jobs while other calls are answered"
// - of a list with a payload that is refused most are added .. "adds nothing of a chunk with a payload that is refused"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { QueueAddOptions } from "./add-options.ts";
import type { QueueOptions } from "./options.ts";
import type { QueueWorkOptions } from "./work-options.ts";

describe.each(backends())("what is given to a queue [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it.each<[unknown, string]>([
    [{ attemps: 1 }, 'queue "mails": attemps: expected another name (did you mean "attempts"?)'],
    [5, 'queue "mails": options: expected an object'],
    [{ backoff: 5 }, 'queue "mails": backoff: expected an object such as { type: ... }, got 5'],
    [{ backoff: null }, 'queue "mails": backoff: expected an object'],
    [{ backoff: { dely: 5 } }, 'queue "mails": dely: expected another name (did you mean "delay"?)'],
    [{ keep: 5 }, 'queue "mails": keep: expected an object'],
    [{ keep: { done: 5 } }, 'queue "mails": done: expected'],
    [{ keep: { completed: -1 } }, 'queue "mails": keep.completed: expected a whole number'],
    [{ keep: { dead: {} } }, 'queue "mails": keep.dead: expected a count, an age, or both'],
    [{ keep: { dead: { age: "soon" } } }, 'queue "mails": keep.dead.age: expected a duration'],
    [{ resultTtl: Symbol("soon") }, 'queue "mails": resultTtl: expected a duration'],
    [{ payload: {} }, 'queue "mails": payload: expected a Standard Schema'],
    [{ result: 5 }, 'queue "mails": result: expected a Standard Schema'],
  ])("a queue refuses %o", (bad, message) => {
    expect(() => hf.queue("mails", bad as QueueOptions<unknown, unknown>)).toThrow(message);
  });

  it("work refuses a closed handle", async () => {
    const closed = await connect(url, options);
    await closed.close();
    expect(() => closed.queue("mails").work(() => undefined)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  it.each<[unknown, string]>([
    [60, 'queue "mails": options: expected an object'],
    [{ dealy: 5 }, 'queue "mails": dealy: expected another name (did you mean "delay"?)'],
    [{ unique: null }, 'queue "mails": unique: expected an object'],
    [{ unique: "" }, 'queue "mails": unique: expected a non-empty'],
    [{ unique: 5 }, 'queue "mails": unique: expected a non-empty'],
    [{ unique: {} }, 'queue "mails": unique: expected a non-empty'],
    [{ unique: { key: "x", fro: "1h" } }, 'queue "mails": fro: expected another name (did you mean "for"?)'],
    [{ unique: { key: "x", mode: "once" } }, 'queue "mails": unique.mode: expected one of drop'],
    [{ unique: { key: "x", mode: "replace", for: "1h" } }, 'queue "mails": unique.for: expected nothing'],
    [{ unique: { key: "x", mode: "rerun" }, delay: 5 }, 'queue "mails": unique.mode: expected another one'],
    [{ expires: new Date(Number.NaN) }, 'queue "mails": expires: expected a duration or a Date'],
    [{ tags: "a" }, 'queue "mails": tags: expected a list'],
    [{ tags: [""] }, 'queue "mails": tags: expected a non-empty'],
    [{ id: "" }, 'queue "mails": id: expected a non-empty'],
    [{ delay: 5, at: 5 }, 'queue "mails": at: expected nothing beside `delay`'],
    [{ priority: "urgent" }, 'queue "mails": priority: expected'],
    [{ attempts: 0 }, 'queue "mails": attempts: expected a whole number'],
    [{ at: Number.NaN }, 'queue "mails": at: expected a Date'],
    [{ result: "yes" }, 'queue "mails": result: expected a boolean'],
  ])("add refuses %o", async (bad, message) => {
    const mails = hf.queue("mails");
    await expect(mails.add(1, bad as QueueAddOptions)).rejects.toThrow(message);
    await expect(mails.addMany([], bad as QueueAddOptions)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("addMany refuses one id for many jobs", async () => {
    const given = { id: "digest" } as QueueAddOptions;
    await expect(hf.queue("mails").addMany([1, 2], given)).rejects.toMatchObject({ field: "id" });
  });

  it.each([5, { leas: "1s" }, { concurrency: 0 }])("work refuses %j", (bad) => {
    expect(() => hf.queue("mails").work(() => 1, bad as QueueWorkOptions)).toThrow(/^queue "mails": /);
  });

  it.each([undefined, null, 5, "", {}, ["a"]])("refuses an id that is %j, before it asks the server", async (bad) => {
    const mails = hf.queue("mails");
    const id = bad as string;
    for (const call of [
      mails.get(id),
      mails.remove(id),
      mails.cancel(id),
      mails.update(id, {}),
      mails.retry(id),
      mails.logs(id),
    ])
      await expect(call).rejects.toMatchObject({ name: "InvalidArgumentError", field: "id" });
    for (const call of [mails.promote(id), mails.result(id), mails.dead.redrive([id])])
      await expect(call).rejects.toMatchObject({ name: "InvalidArgumentError", field: "id" });
  });

  it("looking at jobs and changing them names the field that is wrong", async () => {
    const mails = hf.queue("mails");
    const bad = (given: unknown): never => given as never;
    const calls: [() => unknown, string][] = [
      [() => mails.cancel("a", bad(5)), "reason"],
      [() => mails.update("a", bad({ dealy: 5 })), "dealy"],
      [() => mails.update("a", bad({ delay: 5, at: 5 })), "at"],
      [() => mails.update("a", bad({ priority: "urgent" })), "priority"],
      [() => mails.page(bad({ state: "gone" })), "state"],
      [() => mails.page(bad({ state: "dead", cursor: "?" })), "cursor"],
      [() => mails.page(bad({ state: "dead", limit: 0 })), "limit"],
      [() => mails.clean(bad({ state: "dead", older: 5 })), "older"],
      [() => mails.obliterate(bad({ force: "yes" })), "force"],
      [() => mails.where(bad({ state: "dead", failure: 5 })), "failure"],
      [() => mails.where({ state: "dead" }).remove(bad({ dryRun: "yes" })), "dryRun"],
      [() => mails.entries(bad({})), "state"],
    ];
    for (const [call, field] of calls)
      await expect((async () => call())()).rejects.toMatchObject({
        field,
        message: expect.stringMatching(/^queue "mails": /),
      });
  });

  it.each([undefined, null, 5, "abc", {}])("refuses what is no list: %j", async (bad) => {
    const mails = hf.queue<unknown>("mails");
    const list = bad as [];
    for (const call of [mails.addMany(list), mails.dead.redrive(list)])
      await expect(call).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("adds 20,000 jobs while other calls are answered, in their order", async () => {
    await using small = await connect(url, { ...options, prefix: `q-${randomUUID()}`, maxWaiting: 20 });
    const jobs = small.queue<number>("bulk");
    const adding = jobs.addMany(Array.from({ length: 20_000 }, (_, at) => at));
    await Promise.all([small.ping(), small.cache("beside", { ttl: "1m" }).set("a", 1)]);
    const added = await adding;
    expect(await jobs.counts()).toMatchObject({ waiting: 20_000 });
    for (const at of [0, 9_999, 19_999]) expect((await jobs.get(added[at]!.id))?.payload).toBe(at);
  });

  it("adds nothing of a chunk with a payload that is refused", async () => {
    const validate = (value: unknown) =>
      typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] };
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
    const jobs = hf.queue<unknown>("checked", { payload: schema });
    const payloads = Array.from({ length: 150 }, (_, at) => (at === 100 ? "a hundred" : at));
    await expect(jobs.addMany(payloads)).rejects.toThrow("does not match its schema");
    expect(await jobs.counts()).toMatchObject({ waiting: 0 });
  });
});
