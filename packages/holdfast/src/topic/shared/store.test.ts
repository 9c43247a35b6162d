/**
 * What the server keeps of a shared subscription. What could go wrong, and the test for each:
 * - a message is claimed by two, or by none ..................... "each message is claimed once"
 * - one that is not settled is lost, or comes too early ......... "comes back when its time is over"
 * - an old acknowledgement takes a message from its new owner ... "an acknowledgement of an older delivery is stale"
 * - what was given back unused counts as a delivery ............. "a release does not count"
 * - an extension brings back what is acknowledged beside it ..... "an acknowledgement beside an extension"
 * - an extension lets others in earlier (a clock set back) ...... "an extension never shortens a claim"
 * - a repeated answer is taken for a new claim ................... "a claim that is repeated has the same answer"
 * - the answer to a claim is lost ............................... "a claim that is repeated has the same answer"
 * - a copy of an old claim claims again ......................... "a copy that comes late claims nothing"
 * - a key is evicted ............................................ "the state is evicted", "the log's meta is evicted", "both are"
 * - the server loses all ........................................ "another log has taken its place"
 * - a seek leaves what is in flight valid ....................... "a seek fences what is in flight"
 * - retention removes what is unread ............................ "knows up to where all is done"
 * - letters that cannot be read, or are lost, hide others ....... "cannot be read", "records are evicted"
 * - a dead letter is there twice, or its message too ............ "buries once", "of a message that was claimed again"
 * - a redriven one is lost with a seek, or kept for ever ........ "a redriven one"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { Holdfast } from "../../holdfast.ts";
import { LogPack } from "../../core/log/pack.ts";
import { DeadLetterStore } from "../dead/store.ts";
import { subscriptionKeys } from "../keys.ts";
import { runScript } from "../../core/script/run.ts";
import { sharedClaim } from "../scripts.gen.ts";
import { Topic } from "../topic.ts";
import { type Claimed, NOWHERE, type Settlement, SharedStore, type Token } from "./store.ts";

const SUBSCRIPTION = "mailer";
const VISIBILITY_MS = 60_000;

describe.each(backends())("the state of a shared subscription [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let hf: Holdfast;
  beforeAll(() => {
    hf = handles.a;
  });

  function fixture(settings: { expiresMs?: number } = {}) {
    const topic = hf.topic<number>(randomName());
    const source = Topic.sourceOf<number>(topic);
    const log = source.logs[0]!;
    const consumer = (): SharedStore =>
      new SharedStore({
        core: source.core,
        topic: topic.name,
        subscription: SUBSCRIPTION,
        log,
        consumer: randomName(),
        timeoutMs: undefined,
        expiresMs: 0,
        ...settings,
      });
    const publish = async (count: number): Promise<void> => {
      await topic.publishMany(Array.from({ length: count }, (_, n) => ({ message: n })));
    };
    const claim = (store: SharedStore, count = 100, terms = {}): Promise<Claimed> =>
      store.claim({ count, visibilityMs: VISIBILITY_MS, start: 0, seen: NOWHERE, ...terms });
    const dead = new DeadLetterStore(source, SUBSCRIPTION);
    return { topic, source, log, keys: subscriptionKeys(log, SUBSCRIPTION), consumer, publish, claim, dead };
  }

  /** The tokens of a claim, in its order. */
  function tokens({ generation, from, count, due, now }: Claimed): Token[] {
    const terms = { generation, dueAt: now + VISIBILITY_MS };
    const fresh = Array.from({ length: count }, (_, at) => ({ member: String(from + at), tag: 1, ...terms }));
    return [...due.map((each) => ({ ...each, ...terms })), ...fresh];
  }

  const settled =
    (verb: Settlement["verb"], ms = 0) =>
    (token: Token) => ({ token, verb, ms });

  it("each message is claimed once, whoever claims", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(10);
    const [mine, theirs] = [consumer(), consumer()];
    expect(await claim(mine, 4)).toMatchObject({ status: "claimed", from: 1, count: 4, due: [], head: 10 });
    expect(await claim(theirs, 4)).toMatchObject({ from: 5, count: 4, due: [] });
    expect(await claim(mine)).toMatchObject({ from: 9, count: 2, due: [] });
    const last = await claim(theirs);
    expect(last).toMatchObject({ count: 0, due: [] });
    expect(last.nextDue).toBeGreaterThan(last.now);
  });

  it("begins at the end where it is to, and is there once it has asked", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(3);
    const store = consumer();
    await claim(store, 0, { start: -1 });
    await publish(2);
    expect(await claim(store, 10, { start: -1 })).toMatchObject({ from: 4, count: 2 });
  });

  it("what is acknowledged never comes back; what is not comes back when its time is over, and counts", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(3);
    const store = consumer();
    const [one, two, three] = tokens(await claim(store));
    const settlements = [settled("ack")(one!), settled("due")(two!), settled("due", 3_600_000)(three!)];
    expect(await store.settle(settlements)).toEqual(["ok", "ok", "ok"]);
    const again = await claim(store);
    expect(again).toMatchObject({ count: 0, due: [{ member: "2", tag: 2 }] });
    expect(again.nextDue - again.now).toBeGreaterThan(3_000_000);
    expect(await store.settle(tokens(again).map(settled("ack")))).toEqual(["ok"]);
    expect(await claim(store)).toMatchObject({ count: 0, due: [] });
  });

  it("an acknowledgement of an older delivery is stale, and takes nothing from the new one", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(2);
    const [mine, theirs] = [consumer(), consumer()];
    const old = tokens(await claim(mine, 2, { visibilityMs: 1 }));
    let again: Token[] = [];
    await until("claimed so far", async () => (again = [...again, ...tokens(await claim(theirs))]).length === 2);
    // As its consumer, which was frozen, believes itself to have it still.
    expect(
      await mine.settle(old.map(({ dueAt, ...rest }) => settled("ack")({ ...rest, dueAt: dueAt - VISIBILITY_MS + 1 }))),
    ).toEqual(["stale", "stale"]);
    for (const verb of ["due", "release"] as const)
      expect(await mine.settle(old.map(settled(verb)))).toEqual(["stale", "stale"]);
    expect(await theirs.settle(again.map(settled("ack")))).toEqual(["ok", "ok"]);
    expect(await theirs.settle(again.map(settled("release")))).toEqual(["stale", "stale"]);
  });

  it("a late acknowledgement counts where nobody has claimed the message since", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(1);
    const store = consumer();
    const claimed = tokens(await claim(store, 1, { visibilityMs: 1 }));
    expect(await store.settle(claimed.map(settled("ack")))).toEqual(["ok"]);
    expect(await claim(store)).toMatchObject({ count: 0, due: [], nextDue: -1 });
  });

  it("a release does not count as a delivery, and its token is not valid again", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(1);
    const [mine, theirs] = [consumer(), consumer()];
    const [first] = tokens(await claim(mine));
    expect(await mine.settle([settled("release")(first!)])).toEqual(["ok"]);
    const [second] = tokens(await claim(theirs));
    expect(second!.tag % 256).toBe(1);
    expect(second!.tag).not.toBe(first!.tag);
    expect(await mine.settle([settled("due")(first!)])).toEqual(["stale"]);
    expect(await theirs.settle([settled("ack")(second!)])).toEqual(["ok"]);
  });

  it("an acknowledgement beside an extension of the same message settles it", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(1);
    const store = consumer();
    // With its tag, as after a message was claimed again.
    const one = { ...tokens(await claim(store))[0]!, dueAt: 0 };
    expect(await store.settle([settled("extend")(one), settled("ack")(one)])).toEqual(["ok", "ok"]);
    expect(await claim(store)).toMatchObject({ count: 0, due: [], nextDue: -1 });
  });

  it("an extension never shortens a claim", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(1);
    const [mine, theirs] = [consumer(), consumer()];
    const [one] = tokens(await claim(mine));
    expect(await mine.settle([settled("extend")(one!)])).toEqual(["ok"]);
    expect(await claim(theirs)).toMatchObject({ count: 0, due: [], nextDue: one!.dueAt });
    expect(await mine.settle([settled("extend", 2 * VISIBILITY_MS)(one!)])).toEqual(["ok"]);
    expect((await claim(theirs)).nextDue).toBeGreaterThan(one!.dueAt);
  });

  it("a claim that is repeated has the same answer; a copy that comes late claims nothing", async () => {
    const { publish, log, keys, source } = fixture();
    await publish(5);
    const { meta, log: stream, cursors } = log;
    const all = {
      meta,
      log: stream,
      state: keys.state,
      cursors,
      redriven: keys.redriven,
      claimed: log.group.part("claimed"),
    };
    const terms = { subscription: SUBSCRIPTION, count: 2, visibilityMs: VISIBILITY_MS, expiresMs: 0, start: 0 };
    const seen = { seen: 0, seenAt: 0, seenEpoch: 0 };
    const claim = (op: number, check: boolean) =>
      runScript(source.core.driver, sharedClaim, all, { ...terms, ...seen, op, check }, { op: "test" });
    const first = await claim(1, false);
    expect(first).toMatchObject({ from: 1, count: 2 });
    expect(await claim(1, true)).toEqual({ ...first, ageMs: expect.any(Number) });
    // How long ago that was, so that nobody believes to have it for longer than the server does.
    await until("it is older", async () => ((await claim(1, true)) as Claimed).ageMs > 5);
    expect(await claim(2, false)).toMatchObject({ from: 3, count: 2 });
    expect(await claim(1, true)).toEqual({ status: "late" });
    expect(await claim(3, true)).toMatchObject({ from: 5, count: 1 });
  });

  it("a seek fences what is in flight, and goes on where it says", async () => {
    const { consumer, publish, claim } = fixture();
    await publish(5);
    const [mine, theirs] = [consumer(), consumer()];
    const old = tokens(await claim(mine));
    await theirs.seek(3);
    expect(await mine.settle(old.map(settled("ack")))).toEqual(old.map(() => "stale"));
    const again = await claim(mine);
    expect(again).toMatchObject({ from: 4, count: 2, due: [] });
    expect(again.generation).toBeGreaterThan(old[0]!.generation);
    expect(await mine.settle([...old, ...tokens(again)].map(settled("ack")))).toEqual([
      ...old.map(() => "stale"),
      "ok",
      "ok",
    ]);
    await theirs.seek(-1);
    expect(await claim(mine)).toMatchObject({ count: 0, due: [] });
  });

  it("knows up to where all is done, also when its state is evicted", async () => {
    const { consumer, publish, claim, log, keys } = fixture();
    await publish(6);
    const store = consumer();
    const first = tokens(await claim(store));
    await store.settle(first.filter((_, at) => at !== 2).map(settled("ack")));
    const cursor = async (): Promise<string> => String(await handles.send("HGET", log.cursors, SUBSCRIPTION));
    await until("claimed so far", async () => (await claim(store, 0), (await cursor()) === "2"));
    await handles.send("DEL", keys.state);
    const again = await claim(store);
    expect(again).toMatchObject({ from: 3, count: 4 });
    expect(await store.settle([first[2]!].map(settled("ack")))).toEqual(["stale"]);
    await store.settle(tokens(again).map(settled("ack")));
    await until("claimed so far", async () => (await claim(store, 0), (await cursor()) === "6"));
  });

  it("the log's meta is evicted: goes on; both are: begins again at what is there", async () => {
    const { consumer, publish, claim, log, keys } = fixture();
    await publish(2);
    const store = consumer();
    await claim(store, 1);
    await handles.send("DEL", log.meta);
    expect(await claim(store, 1)).toMatchObject({ from: 2, count: 1 });
    await handles.send("DEL", keys.state);
    await handles.send("DEL", log.cursors);
    expect(await claim(store, 10)).toMatchObject({ from: 1, count: 2 });
  });

  it("another log has taken its place: says so by its epoch, and begins at its start", async () => {
    const { consumer, publish, claim, log } = fixture();
    await publish(3);
    const store = consumer();
    const old = await claim(store);
    await handles.send("DEL", log.meta);
    await handles.send("DEL", log.log);
    expect(await claim(store)).toMatchObject({ count: 0, epoch: old.epoch });
    await publish(1);
    const claimed = await claim(store);
    expect(claimed).toMatchObject({ from: 1, count: 1, due: [] });
    expect(claimed.epoch).toBeGreaterThan(old.epoch);
    expect(await store.settle(tokens(old).map(settled("ack")))).toEqual(["stale", "stale", "stale"]);
  });

  it("lasts as long as it is used, where it expires", async () => {
    const { consumer, publish, claim, log, keys } = fixture({ expiresMs: 3_600_000 });
    await publish(1);
    await claim(consumer());
    expect(Number(await handles.send("PTTL", keys.state))).toBeGreaterThan(3_000_000);
    expect(String(await handles.send("HGET", log.cursors, SUBSCRIPTION))).toMatch(/^0:\d{13}$/);
  });

  describe("dead letters", () => {
    const burial = async ({ source }: ReturnType<typeof fixture>, offset: number, token?: Token) => {
      const [pack] = await source.store(0, "test").range(offset, 1);
      const claimed = token === undefined ? {} : { claim: token };
      return {
        partition: 0,
        pack: pack!,
        offset,
        deliveries: 3,
        reason: "rejected",
        error: new TypeError("no such address"),
        ...claimed,
      } as const;
    };

    it("buries once, however often it is sent, and settles the message", async () => {
      const it = fixture();
      await it.publish(2);
      const store = it.consumer();
      const [one] = tokens(await it.claim(store, 1));
      const letter = await burial(it, 1, one);
      expect(await it.dead.bury(letter)).toBe("ok");
      expect(await it.dead.bury(letter)).toBe("ok");
      const [found, ...others] = await it.dead.page(0, 0, 10);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ head: { deliveries: 3, reason: "rejected", error: "TypeError: no such address" } });
      expect(it.source.decode(found!.pack, 1, 0).payload).toBe(0);
      expect(await store.settle([settled("ack")(one!)].slice(1))).toEqual([]);
      expect(await it.claim(store)).toMatchObject({ from: 2, count: 1, due: [] });
    });

    it("does not bury what was claimed again meanwhile", async () => {
      const it = fixture();
      await it.publish(1);
      const store = it.consumer();
      const [old] = tokens(await it.claim(store, 1));
      await store.settle([settled("due")(old!)]);
      await it.claim(store);
      expect(await it.dead.bury(await burial(it, 1, old))).toBe("stale");
      expect(await it.dead.page(0, 0, 10)).toEqual([]);
    });

    it("does not bury a message that a failover has lost, in the place of the one that stands there now", async () => {
      const it = fixture();
      await it.publish(1);
      const [token] = tokens(await it.claim(it.consumer(), 1));
      const letter = await burial(it, 1, token);
      const { epoch, at, bytes } = letter.pack;
      expect(await it.dead.bury({ ...letter, pack: new LogPack(epoch, 1, 1, at - 1, bytes) })).toBe("stale");
      expect(await it.dead.count(0)).toBe(0);
      expect(await it.dead.bury(letter)).toBe("ok");
    });

    it("a redriven one is delivered to its subscription alone, outlives a seek, and is forgotten when it is handled", async () => {
      const it = fixture();
      await it.publish(2);
      const store = it.consumer();
      const [one, two] = tokens(await it.claim(store));
      await store.settle([settled("ack")(two!)]);
      await it.dead.bury(await burial(it, 1, one));
      const { name } = (await it.dead.page(0, 0, 10))[0]!;
      expect(await it.dead.redrive(0, [name, "nothing"], "-")).toBe(1);
      expect(await it.dead.redrive(0, [name], "-")).toBe(0);
      const again = await it.claim(store);
      expect(again).toMatchObject({ count: 0, due: [{ member: `c${name}` }] });
      expect(again.due[0]!.tag % 256).toBe(1);
      await store.seek(-1);
      const last = await it.claim(store);
      expect(last.due).toMatchObject([{ member: `c${name}` }]);
      expect((await it.dead.message(0, name))!.frame(1).payload).toBeDefined();
      expect(await store.settle(tokens(last).map(settled("ack")))).toEqual(["ok"]);
      expect(await it.dead.message(0, name)).toBeUndefined();
      expect(await handles.keys(`topic:{${it.topic.name}}:re`)).toEqual([]);
    });

    it("one that cannot be read is shown as such, does not hide others, can be removed, and is dead again where it was redriven", async () => {
      const it = fixture();
      await it.publish(2);
      for (const offset of [1, 2]) await it.dead.bury(await burial(it, offset));
      const { name } = (await it.dead.page(0, 0, 1))[0]!;
      await handles.send("HSET", it.keys.records, name, "\0\0\0\u0001xy");
      const letters = it.topic.dead(SUBSCRIPTION);
      const shown = (await letters.page()).letters;
      expect(shown).toMatchObject([
        { offset: 1, reason: "undecodable", message: undefined },
        { offset: 2, reason: "rejected", message: { payload: 1 } },
      ]);
      expect(shown[0]!.error).toContain("cannot be read");
      await it.dead.redrive(0, [name], "-");
      expect(await it.dead.count(0)).toBe(1);
      expect(await it.dead.message(0, name)).toBeUndefined();
      expect(await it.dead.count(0)).toBe(2);
      expect(await letters.remove([shown[0]!.id])).toBe(1);
      expect((await letters.page()).letters).toHaveLength(1);
    });

    it("a message whose pack cannot be read becomes a letter all the same", async () => {
      const it = fixture();
      await it.publish(1);
      const letter = await burial(it, 1);
      const pack = new LogPack(letter.pack.epoch, 1, 1, letter.pack.at, Buffer.from([0xff]));
      expect(await it.dead.bury({ ...letter, pack, reason: "undecodable" })).toBe("ok");
      expect((await it.topic.dead(SUBSCRIPTION).page()).letters).toMatchObject([
        { offset: 1, reason: "undecodable", message: undefined, key: undefined },
      ]);
    });

    it("their records are evicted: those of before are gone, and do not hide the new ones", async () => {
      const it = fixture();
      await it.publish(3);
      for (const offset of [1, 2]) await it.dead.bury(await burial(it, offset));
      await handles.send("DEL", it.keys.records);
      await it.dead.bury(await burial(it, 3));
      expect((await it.dead.page(0, 0, 1)).map(({ pack }) => pack.first)).toEqual([3]);
      expect(await it.dead.count(0)).toBe(1);
    });

    it("pages, removes, and gives an owner what was put back", async () => {
      const it = fixture();
      await it.publish(5);
      for (let offset = 1; offset <= 5; offset += 1) await it.dead.bury(await burial(it, offset));
      const first = await it.dead.page(0, 0, 2);
      const rest = await it.dead.page(0, first[1]!.score, 10);
      expect([...first, ...rest].map(({ pack }) => pack.first)).toEqual([1, 2, 3, 4, 5]);
      expect(await it.dead.remove(0, [first[0]!.name, "nothing"])).toBe(1);
      expect(await it.dead.redrive(0, [first[1]!.name], "-")).toBe(1);
      const [back, ...more] = await it.dead.redriven(0, 0, 0, 10);
      expect(more).toEqual([]);
      expect(back).toMatchObject({ name: first[1]!.name });
      await it.dead.bury({
        partition: 0,
        pack: back!.pack!,
        offset: 2,
        deliveries: 1,
        reason: "exhausted",
        error: "again",
      });
      expect(await it.dead.redriven(0, 0, 0, 10)).toEqual([]);
      expect(await it.dead.count(0)).toBe(4);
    });
  });
});
