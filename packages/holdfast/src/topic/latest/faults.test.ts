/**
 * What could go wrong on real connections, and the test for each:
 * - a lost answer is repeated with another outcome .... "whose answer was lost"
 * - a copy that arrives late sets what was refused ..... "a late copy"
 * - half a change is stored while memory is full ....... "takes no writes"
 * - a follower misses what came while it was cut off ... "goes on where it was"
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import { REFUSALS } from "../../../test/support/refusals.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { randomName } from "../../../test/support/two-handles.ts";
import { connect } from "../../connect.ts";
import { runScript } from "../../core/script/run.ts";
import type { Holdfast } from "../../holdfast.ts";
import { latestKeys } from "../keys.ts";
import { latestAppend } from "../scripts.gen.ts";
import { Topic } from "../topic.ts";

describe("the newest message of each key under faults", () => {
  const prefix = randomName();
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone({ config: { "enable-protected-configs": "local" } });
    proxy = await startProxy(server);
    const options = { prefix, timeout: "60s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix, timeout: "60s" })]);
  });
  afterEach(async () => {
    await proxy.heal();
    for (const refusal of REFUSALS) await refusal.end(server);
  });
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  it("a pack whose answer was lost has the outcomes of the first time, whatever it has changed itself", async () => {
    const topic = hf.topic<number>(randomName(), { latest: true, maxKeys: 3 });
    await topic.set("a", 0);
    const { position } = (await topic.get("a"))!;
    const results = await losingAnswer(
      proxy,
      latestAppend,
      () =>
        Promise.all([
          topic.set("a", 1, { ifPosition: position }),
          topic.set("a", 2, { ifPosition: position }),
          topic.set("b", 1, { ifNew: true, id: "b" }),
          topic.delete("none"),
          topic.set("c", 1),
          topic.set("d", 1),
          topic.delete("c"),
        ]),
      async () => undefined,
    );
    expect(results.map(({ status }) => status)).toEqual(["ok", "conflict", "ok", "missing", "ok", "full", "ok"]);
    const there = direct.topic<number>(topic.name, { latest: true });
    expect((await there.page()).messages.map(({ key, payload }) => `${key}=${payload}`)).toEqual([
      "a=0",
      "a=1",
      "b=1",
      "c=1",
      "c=undefined",
    ]);
    expect(await there.count()).toBe(2);
  });

  it("a late copy of what was refused changes nothing, also where nothing of it was stored", async () => {
    const topic = direct.topic<number>(randomName(), { latest: true });
    const log = Topic.sourceOf(topic).logs[0]!;
    const keys = { log: log.log, meta: log.meta, live: log.live, cursors: log.cursors, ...latestKeys(log), ids: [] };
    const sent = (number: number, what: string): Promise<unknown> => {
      const kept = { keepMs: 60_000, maxMessages: 100, keepUnread: false, refuses: false, waits: false };
      const bounds = { dedupeMs: 60_000, maxKeys: 10, expiresMs: 0, liveBytes: 100 };
      const messages = ["k", what, "\u0005\u0001\u0001k\u00001"];
      const args = { producer: "p", number, ...kept, ...bounds, count: 1, messages };
      return runScript(direct.driver, latestAppend, keys, args, { op: "test" });
    };
    const refused = await sent(1, "s=1 1 1");
    expect(refused).toMatchObject({ status: "ok", known: [-1] });
    expect(await sent(1, "s=1 1 1")).toEqual(refused);
    expect(await sent(2, "d")).toMatchObject({ known: [-3] });
    expect(await sent(1, "s")).toEqual({ status: "late" });
    const first = await sent(3, "s=0");
    expect(first).toMatchObject({ status: "ok", first: 1, known: [0] });
    expect(await sent(3, "s=0")).toEqual(first);
    expect(await sent(2, "d")).toEqual({ status: "late" });
    expect(await topic.count()).toBe(1);
  });

  it.each(REFUSALS)("nothing is changed while the server takes no writes ($name)", async (refusal) => {
    const topic = direct.topic<number>(randomName(), { latest: true, timeout: "5s" });
    await topic.set("a", 1);
    await refusal.begin(server);
    await expect(topic.set("a", 2)).rejects.toMatchObject({ code: expect.any(String) });
    await expect(topic.delete("a")).rejects.toMatchObject({ code: expect.any(String) });
    expect((await topic.get("a"))!.payload).toBe(1);
    await refusal.end(server);
    expect(await topic.set("a", 3)).toMatchObject({ status: "ok", offset: 2 });
  });

  it.each(["cut", "halfOpen"] as const)(
    "a follower goes on where it was after its connection was lost (%s)",
    async (fault) => {
      const name = randomName();
      const topic = direct.topic<number>(name, { latest: true });
      for (let at = 0; at < 20; at += 1) await topic.set(`k${at}`, 1);
      const told: string[] = [];
      const changes = hf.topic<number>(name, { latest: true }).follow();
      const takeUpTo = async (key: string): Promise<void> => {
        for (;;) {
          const change = (await changes.next()).value!;
          told.push(change.type === "set" ? change.key : change.type);
          if (told.at(-1) === key) return;
        }
      };
      await takeUpTo("k9");
      proxy[fault]();
      const rest = takeUpTo("live");
      await topic.set("k15", 2);
      await proxy.heal();
      await rest;
      const later = takeUpTo("z");
      proxy[fault]();
      await topic.set("y", 1);
      await proxy.heal();
      await topic.set("z", 1);
      await later;
      const keys = told.filter((each) => each !== "k15");
      expect(keys.slice(0, 19)).toEqual(Array.from({ length: 20 }, (_, at) => `k${at}`).filter((key) => key !== "k15"));
      expect(keys.slice(19)).toEqual(["live", "y", "z"]);
      expect(told.filter((each) => each === "k15").length).toBeGreaterThan(0);
      await changes.return();
    },
  );
});
