// What could go wrong, and the test that watches it:
// - a write whose answer was lost is repeated over what came after it ....... "set and patch whose answers were lost"
// - a versioned write reports a conflict with itself ........................ "a versioned write", "an update"
// - a repeat that did nothing before is refused for no reason ............... "a ... that never arrived"
// - an increment is counted twice ........................................... "an increment whose answer was lost"
// - a change is applied twice when its repeat meets a conflict .............. "a change whose repeat ... is unknown, and done once"
// - an outage looks like a missing record ................................... "while the server is away"
// - one call about very many ids takes all places of the handle .............. "a bulk read leaves places to others"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest, type SentScript } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { increment, patch, set } from "./scripts.gen.ts";
import type { Records } from "./records.ts";

interface Doc {
  a?: number;
  b?: string;
}

describe("record under faults [standalone]", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;
  /** Through the proxy, and around it. */
  let records: Records<Doc>;
  let witness: Records<Doc>;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    [hf, direct] = await Promise.all([connect(proxy.url, { prefix, timeout: "20s" }), connect(server.url, { prefix })]);
    [records, witness] = [hf.records<Doc>("docs"), direct.records<Doc>("docs")];
    for (const { lua } of [set, patch, increment]) await server.command("SCRIPT", "LOAD", lua);
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  async function stored(id: string, value: Doc = { a: 1 }): Promise<number> {
    return (await witness.set(id, value)).version;
  }

  it("set and patch whose answers were lost are not repeated over what came after them", async () => {
    const version = await stored("x");
    const later = (): Promise<unknown> => witness.patch("x", { b: "later" });
    expect(await losingAnswer(proxy, set, () => records.set("x", { b: "set" }), later)).toEqual({
      status: "ok",
      version: version + 1,
    });
    expect(await witness.get("x")).toEqual({ value: { b: "later" }, version: version + 2 });
    expect(await losingAnswer(proxy, patch, () => records.patch("x", { b: "patch" }), later)).toEqual({
      status: "ok",
      version: version + 3,
    });
    expect(await witness.get("x")).toEqual({ value: { b: "later" }, version: version + 4 });
  });

  it("a versioned write whose answer was lost is no conflict with itself", async () => {
    const version = await stored("y");
    const answer = await losingAnswer(
      proxy,
      patch,
      () => records.patch("y", { a: 2 }, { version }),
      async () => {
        for (let round = 0; round < 15; round += 1) await witness.increment("y", "a");
      },
    );
    expect(answer).toEqual({ status: "ok", version: version + 1 });
    expect(await witness.get("y")).toEqual({ value: { a: 17 }, version: version + 16 });
  });

  it("an update whose answer was lost is done once", async () => {
    const version = await stored("z");
    const answer = await losingAnswer(proxy, set, () => records.update("z", ({ a = 0 }) => ({ a: a + 1 })));
    expect(answer).toEqual({ status: "ok", value: { a: 2 }, version: version + 1 });
    expect(await witness.get("z")).toEqual({ value: { a: 2 }, version: version + 1 });
  });

  /** More writes than a record remembers. */
  async function forget(id: string): Promise<void> {
    for (let round = 0; round < 17; round += 1) await witness.patch(id, { b: String(round) });
  }

  it.each<[string, (of: Records<Doc>, id: string, version: number) => Promise<unknown>]>([
    ["update", (of, id) => of.update(id, ({ a = 0, ...rest }) => ({ ...rest, a: a + 1 }))],
    ["update with an initial value", (of, id) => of.update(id, ({ a = 0 }) => ({ a: a + 1 }), { initial: {} })],
    ["increment of a checked record", (of, id) => of.increment(id, "a")],
    ["patch of a checked record", (of, id) => of.patch(id, { a: 2 })],
    ["set over any state", (of, id) => of.set(id, { a: 2 })],
    ["patch over any state", (of, id) => of.patch(id, { a: 2 })],
    ["set over a version", (of, id, version) => of.set(id, { a: 2 }, { version })],
    ["patch over a version", (of, id, version) => of.patch(id, { a: 2 }, { version })],
  ])("%s: a change whose repeat finds itself forgotten is unknown, and done once", async (name, change) => {
    const version = await stored(name);
    // A schema that accepts everything makes patches and increments read the whole first.
    const checked = name.includes("checked") ? hf.records<Doc>("docs", { schema: anything }) : records;
    const script = name.startsWith("patch over") ? patch : set;
    const lost = losingAnswer(
      proxy,
      script,
      () => change(checked, name, version),
      () => forget(name),
    );
    await expect(lost).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", key: name, retryable: false });
    const { value, version: now } = (await witness.get(name))!;
    expect([value.a, now]).toEqual([2, version + 18]);
  });

  it.each<[string, SentScript, (id: string) => Promise<unknown>]>([
    ["set", set, (id) => records.set(id, { a: 2 })],
    ["patch", patch, (id) => records.patch(id, { a: 2 })],
  ])(
    "a %s that never arrived is done by its repeat where each write since is remembered",
    async (name, script, write) => {
      const id = `new ${name}`;
      const version = await stored(id);
      const few = (): Promise<unknown> => witness.patch(id, { b: "later" });
      expect(await losingRequest(proxy, script, () => write(id), few)).toEqual({ status: "ok", version: version + 2 });
      expect((await witness.get(id))?.value.a).toBe(2);
    },
  );

  it.each<[string, SentScript, (id: string) => Promise<unknown>]>([
    ["set", set, (id) => records.set(id, { a: 2 })],
    ["patch", patch, (id) => records.patch(id, { a: 2 })],
  ])(
    "a %s that never arrived is done where what was forgotten was written long before",
    async (name, script, write) => {
      const id = `old ${name}`;
      await stored(id);
      await forget(id);
      expect(await losingAnswer(proxy, script, () => write(id))).toMatchObject({ status: "ok" });
      await expect(losingRequest(proxy, script, () => write(id))).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
      // As if those writes had been made in 1970.
      await server.command("HSET", `${prefix}:record:docs:{${id}}`, "times", "1,2");
      expect(await losingRequest(proxy, script, () => write(id))).toMatchObject({ status: "ok" });
    },
  );

  it("a patch whose repeat finds no record is unknown: it may have been there", async () => {
    await stored("gone");
    const lost = losingAnswer(
      proxy,
      patch,
      () => records.patch("gone", { a: 2 }),
      () => witness.delete("gone"),
    );
    await expect(lost).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", key: "gone" });
  });

  it("changes that were sent in one piece each learn of the repeat", async () => {
    const version = await stored("merged");
    const other = await stored("beside");
    const lost = losingAnswer(
      proxy,
      set.merged,
      () =>
        Promise.allSettled([
          records.set("merged", { a: 2 }, { version }),
          records.set("beside", { a: 2 }, { version: other }),
        ]),
      () => forget("merged"),
    );
    const [forgotten, known] = await lost;
    expect(forgotten).toMatchObject({ status: "rejected", reason: { code: "OUTCOME_UNKNOWN", key: "merged" } });
    expect(known).toEqual({ status: "fulfilled", value: { status: "ok", version: other + 1 } });
  });

  it("a conflict that another's write explains is an ordinary one, also for a repeat", async () => {
    const version = await stored("explained");
    await witness.patch("explained", { b: "x" });
    const answer = await losingAnswer(proxy, set, () => records.set("explained", { a: 2 }, { version }));
    expect(answer).toEqual({ status: "conflict", version: version + 1 });
  });

  it("an increment whose answer was lost is told as unknown, and not repeated", async () => {
    await stored("n");
    const lost = losingAnswer(proxy, increment, () => records.increment("n", "a"));
    await expect(lost).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", op: "records.increment", key: "n" });
    expect((await witness.get("n"))?.value).toEqual({ a: 2 });
  });

  it("a bulk read leaves places to others while the server is away", async () => {
    await stored("bulk");
    const hasty = hf.records<Doc>("docs", { timeout: 1_500 });
    proxy.refuse();
    proxy.cut();
    const bulk = hasty.getMany(Array.from({ length: 150_000 }, (_, at) => at));
    bulk.catch(() => undefined);
    // Parked, not refused with OVERLOADED: it is answered once the server is back.
    const other = records.get("bulk");
    await expect(bulk).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await proxy.heal();
    expect((await other)?.value).toEqual({ a: 1 });
  });

  it("while the server is away each call rejects by its deadline: never a missing record", async () => {
    await stored("away");
    const hasty = hf.records<Doc>("docs", { timeout: 200 });
    proxy.refuse();
    proxy.cut();
    const outage = { name: expect.stringMatching(/UnavailableError|TimeoutError/), retryable: true };
    await expect(hasty.get("away")).rejects.toMatchObject({ ...outage, op: "records.get" });
    await expect(hasty.set("away", {})).rejects.toMatchObject({ ...outage, op: "records.set" });
    await expect(hasty.increment("away", "a")).rejects.toMatchObject(outage);
    await expect(hasty.update("away", (value) => value)).rejects.toMatchObject(outage);
    await proxy.heal();
    expect((await records.get("away"))?.value).toEqual({ a: 1 });
  });
});

const anything = {
  "~standard": { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value: value as Doc }) },
};
