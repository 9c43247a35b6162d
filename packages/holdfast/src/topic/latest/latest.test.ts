/**
 * What could go wrong, and the test for each:
 * - the newest of a key is not what was published last ................ "the newest message of each key", "within one tick"
 * - a deleted key is still there, or nobody hears of it ................ "a deleted key", "deleted and set again"
 * - a follower misses, repeats or goes back while keys change .......... "while keys are published", and the simulation
 * - a change goes to the wrong place of a condition ..................... "only where", "of two who set"
 * - it grows without a bound ............................................ "maxKeys", "tombstones", "expires"
 * - who comes back sees it all again, or not all of it .................. "goes on behind", "within a snapshot", "keeps no more"
 * - a part of what is stored was evicted ................................ "was evicted", "told of an eviction"
 * - offsets of deletions are given again where all else was evicted ..... "after a deletion"
 * - a clock that was set back hides an eviction from who comes back ..... "of a clock that was ahead"
 * - a plain object of the topic takes its packs for its own ............. "beside one without"
 * - a flushed server is not noticed ..................................... "a flushed"
 * - what is bad ends it, or nothing ends it ............................. "cannot be decoded", "ends by", "bad input"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { TopicOptions } from "../options.ts";
import { partitionOf } from "../partition.ts";
import type { TopicChange } from "./follow.ts";
import type { LatestTopic } from "./latest-topic.ts";

type Changes<T> = AsyncGenerator<TopicChange<T>, void, undefined>;

/** Changes as text, up to the first that is `last`. */
async function upTo<T>(changes: Changes<T>, last: string): Promise<string[]> {
  const told: string[] = [];
  for (;;) {
    const { value, done } = await changes.next();
    if (done === true) return [...told, "end"];
    told.push(textOf(value));
    if (told.at(-1) === last) return told;
  }
}

function textOf<T>(change: TopicChange<T>): string {
  if (change.type === "set") return `${change.key}=${String(change.value)}`;
  return change.type === "delete" ? `${change.key}-` : change.type;
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

describe.each(backends())("the newest message of each key [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const open = <T = number>(name = randomName(), options: TopicOptions<T> = {}): LatestTopic<T> =>
    handles.a.topic<T>(name, { ...options, latest: true });
  const other = <T>(topic: LatestTopic<T>, options: TopicOptions<T> = {}): LatestTopic<T> =>
    handles.b.topic<T>(topic.name, { ...options, latest: true });
  const keyOf = (name: string, part: string): string => `${handles.prefix}:topic:{${name}}:${part}`;

  it("is what was published last, for whoever asks", async () => {
    const topic = open();
    expect(await topic.get("a")).toBeUndefined();
    await topic.set("a", 1);
    await topic.publish(2, { key: "a", headers: { by: "me" }, id: "x" });
    await topic.set("b", 3);
    expect(await other(topic).get("a")).toMatchObject({
      payload: 2,
      key: "a",
      id: "x",
      offset: 2,
      headers: { by: "me" },
      tombstone: false,
    });
    expect([...(await topic.getMany(["b", "none", "a", "b"]))].map(([key, { payload }]) => [key, payload])).toEqual([
      ["b", 3],
      ["a", 2],
    ]);
    expect(await topic.count()).toBe(2);
    await topic.publish(9, { key: "b", id: "x" });
    expect((await topic.get("b"))?.payload).toBe(3);
  });

  it("is the last of those within one tick, with and without ids and deletions", async () => {
    const topic = open();
    const results = await Promise.all([
      topic.set("a", 1),
      topic.set("b", 1),
      topic.set("a", 2, { id: "two" }),
      topic.delete("b"),
      topic.delete("b"),
      topic.set("c", 1),
      topic.delete("c"),
      topic.set("c", 2),
      topic.set("a", 2, { id: "two" }),
    ]);
    expect(results.map(({ status }) => status)).toEqual("ok ok ok ok missing ok ok ok duplicate".split(" "));
    expect(results.at(-1)).toMatchObject({ offset: 3 });
    const changes = other(topic).follow();
    expect(await upTo(changes, "live")).toEqual(["a=2", "c=2", "live"]);
    expect(await topic.count()).toBe(2);
    await changes.return();
  });

  it("a deleted key is gone, its tombstone is a message, and deleting it again is `missing`", async () => {
    const topic = open();
    await topic.set("a", 1);
    await topic.set("b", 2);
    const { position } = (await topic.delete("a", { headers: { by: "me" } })) as { position: string };
    expect(await topic.get("a")).toBeUndefined();
    expect(await topic.count()).toBe(1);
    expect(await topic.delete("a")).toEqual({ status: "missing", partition: 0 });
    expect(await topic.delete("never")).toMatchObject({ status: "missing" });
    const { messages } = await topic.page();
    expect(messages.map(({ key, payload, tombstone, headers }) => [key, payload, tombstone, { ...headers }])).toEqual([
      ["a", 1, false, {}],
      ["b", 2, false, {}],
      ["a", undefined, true, { by: "me" }],
    ]);
    expect(messages[2]!.position).toBe(position);
    const changes = topic.follow();
    expect(await upTo(changes, "live")).toEqual(["b=2", "live"]);
    await topic.set("a", 3);
    expect(await upTo(changes, "a=3")).toEqual(["a=3"]);
    await changes.return();
  });

  it("a subscription and a plain reader see tombstones too", async () => {
    const topic = open();
    await topic.set("a", 1);
    await topic.delete("a");
    await using messages = topic.messages({ from: "start" });
    for (const tombstone of [false, true]) expect((await messages.next()).value).toMatchObject({ key: "a", tombstone });
    for (const kind of ["ordered", "shared"] as const) {
      const seen: unknown[] = [];
      const handler = ({ payload, tombstone }: { payload: unknown; tombstone: boolean }): void =>
        void seen.push([payload, tombstone]);
      await using _ = topic.subscribe(kind, handler, { kind: kind as "shared", start: "start" });
      await until("both were handled", () => seen.length === 2);
      expect(seen).toContainEqual([undefined, true]);
    }
  });

  it.each([1, 3])(
    "follows: each key once, `live`, then the changes, while keys are published (partitions: %i)",
    async (partitions) => {
      const topic = open(randomName(), { partitions });
      const state = new Map<string, number>();
      let next = 0;
      const step = async (): Promise<void> => {
        await Promise.all(
          numbers(20).map(async () => {
            const key = `k${next % 37}`;
            next += 1;
            const value = next;
            if (value % 11 === 0 && state.has(key)) {
              state.delete(key);
              await topic.delete(key);
            } else {
              state.set(key, value);
              await topic.set(key, value);
            }
          }),
        );
      };
      for (let at = 0; at < 30; at += 1) await step();
      const over = new AbortController();
      const publishing = (async () => {
        while (!over.signal.aborted) await step();
      })();
      const faults: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        const [map, snapshot] = [new Map<string, number>(), new Set<string>()];
        let [isLive, changed] = [false, 0];
        for await (const change of other(topic, { partitions }).follow()) {
          if (change.type === "reset") faults.push("a reset");
          if (change.type === "live") isLive = true;
          if (change.type === "set") {
            if (!isLive && snapshot.has(change.key)) faults.push(`${change.key} twice in a snapshot`);
            snapshot.add(change.key);
            if ((map.get(change.key) ?? 0) >= change.value) faults.push(`${change.key} went back`);
            map.set(change.key, change.value);
          }
          if (change.type === "delete") map.delete(change.key);
          if (isLive) changed += 1;
          if (changed > 100) break;
        }
      }
      over.abort();
      await publishing;
      expect(faults).toEqual([]);
      const map = new Map<string, number>();
      for await (const change of other(topic, { partitions }).follow()) {
        if (change.type === "live") break;
        if (change.type === "set") map.set(change.key, change.value);
      }
      expect(map).toEqual(state);
      expect(await topic.count()).toBe(state.size);
    },
  );

  it("a snapshot of many keys comes in chunks, and one of large values too", async () => {
    const topic = open<string>();
    await Promise.all(numbers(1_500).map((each) => topic.set(`k${each}`, String(each))));
    for (const each of numbers(5)) await topic.set(`large${each}`, String(each).repeat(50_000));
    const changes = other(topic).follow();
    const told = await upTo(changes, "live");
    expect(told).toHaveLength(1_506);
    expect(new Set(told).size).toBe(1_506);
    await changes.return();
  });

  it("goes on behind what was seen, here or elsewhere, without a snapshot", async () => {
    const topic = open(randomName(), { partitions: 2 });
    await Promise.all(numbers(10).map((each) => topic.set(`k${each}`, each)));
    const changes = topic.follow();
    let position = "";
    for await (const change of changes) {
      position = change.position;
      if (change.type === "live") break;
    }
    await topic.set("k3", 33);
    await topic.delete("k4");
    await topic.set("new", 1);
    const again = other(topic, { partitions: 2 }).follow({ from: position });
    const told = [];
    for (let at = 0; at < 4; at += 1) told.push(textOf((await again.next()).value!));
    expect(told[0]).toBe("live");
    expect(told.slice(1).toSorted()).toEqual(["k3=33", "k4-", "new=1"]);
    await again.return();
  });

  it("goes on within a snapshot: the rest of it, and what was deleted of what was seen", async () => {
    const topic = open();
    for (const each of numbers(10)) await topic.set(`k${each}`, each);
    const changes = topic.follow();
    let position = "";
    for await (const change of changes) {
      position = change.position;
      if (change.type === "set" && change.key === "k4") break;
    }
    await topic.delete("k2");
    await topic.set("k1", 11);
    const again = other(topic).follow({ from: position });
    expect(await upTo(again, "live")).toEqual(["k5=5", "k6=6", "k7=7", "k8=8", "k9=9", "k2-", "k1=11", "live"]);
    await again.return();
  });

  it("goes on from a deletion within a snapshot: its time is its own, not that of what was seen before", async () => {
    const topic = open();
    await topic.set("a", 1);
    const { value } = await topic.follow().next();
    const seenAt = (await topic.get("a"))!.publishedAt;
    await until("the clock goes on", async () => {
      await topic.set("b", 2);
      return (await topic.get("b"))!.publishedAt > seenAt;
    });
    await topic.delete("b");
    await topic.set("c", 3);
    const rest = topic.follow({ from: value!.position });
    const deleted = (await rest.next()).value!;
    expect(textOf(deleted)).toBe("b-");
    await rest.return();
    const again = other(topic).follow({ from: deleted.position });
    expect(await upTo(again, "live")).toEqual(["c=3", "live"]);
    await again.return();
  });

  it("what the log keeps no more comes as the newest of each key, and what was deleted as deleted", async () => {
    const topic = open(randomName(), { maxMessages: 1 });
    const changes = topic.follow();
    expect(await upTo(changes, "live")).toEqual(["live"]);
    await topic.set("a", 1);
    const { value } = await changes.next();
    expect(textOf(value!)).toBe("a=1");
    for (const each of numbers(200)) await topic.set(`k${each % 3}`, each);
    await topic.delete("a");
    for (const each of numbers(100)) await topic.set("z", each);
    await handles.send("XTRIM", keyOf(topic.name, "log"), "MAXLEN", "0");
    const again = other(topic).follow({ from: value!.position });
    await topic.set("last", 1);
    expect(await upTo(again, "last=1")).toEqual(["live", "k2=197", "k0=198", "k1=199", "a-", "z=99", "last=1"]);
    // The one that was there all the time read what it had in hand, and the rest of it the same way.
    const map = new Map<string, number>([["a", 1]]);
    for await (const change of changes) {
      if (change.type === "reset") map.clear();
      if (change.type === "set") map.set(change.key, change.value);
      if (change.type === "delete") map.delete(change.key);
      if (map.has("last")) break;
    }
    expect(Object.fromEntries(map)).toEqual({ k0: 198, k1: 199, k2: 197, z: 99, last: 1 });
    await again.return();
  });

  it("sets and deletes only where the key is as expected, and of two who set it one has done so", async () => {
    const topic = open();
    expect(await topic.set("a", 1, { ifNew: true })).toMatchObject({ status: "ok" });
    expect(await topic.set("a", 2, { ifNew: true })).toEqual({ status: "conflict", partition: 0 });
    const { position } = (await topic.get("a"))!;
    const results = await Promise.all([
      topic.set("a", 3, { ifPosition: position }),
      other(topic).set("a", 4, { ifPosition: position }),
      topic.set("a", 5, { ifPosition: position }),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["conflict", "conflict", "ok"]);
    expect(await topic.delete("a", { ifPosition: position })).toMatchObject({ status: "conflict" });
    const after = (await topic.get("a"))!;
    expect(await topic.delete("a", { ifPosition: after.position })).toMatchObject({ status: "ok" });
    expect(await topic.set("a", 6, { ifPosition: after.position })).toMatchObject({ status: "conflict" });
    expect(await topic.delete("a", { ifPosition: after.position })).toMatchObject({ status: "conflict" });
    expect(await topic.set("a", 7, { ifNew: true })).toMatchObject({ status: "ok" });
    expect((await topic.info()).messages).toBe(4);
  });

  it("a key beyond maxKeys is refused, others are set, and where one was deleted there is room", async () => {
    const topic = open(randomName(), { maxKeys: 2 });
    const results = await Promise.all(["a", "b", "c", "a"].map((key, at) => topic.set(key, at)));
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok", "full", "ok"]);
    expect(results[2]).toEqual({ status: "full", partition: 0 });
    expect((await topic.get("a"))!.payload).toBe(3);
    await topic.delete("b");
    expect(await topic.set("c", 1)).toMatchObject({ status: "ok" });
  });

  it("with `wait` a key beyond maxKeys waits for room, or is refused at its deadline", async () => {
    const name = randomName();
    const patient = open(name, { maxKeys: 1, onFull: "wait", timeout: "60s" });
    await patient.set("a", 1);
    const waiting = patient.set("b", 2);
    const behind = patient.set("b", 3);
    await other<number>(patient, { maxKeys: 1 }).delete("a");
    expect(await Promise.all([waiting, behind])).toMatchObject([{ status: "ok" }, { status: "ok" }]);
    const hasty = open(name, { maxKeys: 1, onFull: "wait", timeout: "300ms" });
    expect(await hasty.set("c", 2)).toMatchObject({ status: "full" });
  });

  it("tombstones are remembered up to 10,000; whoever is behind that begins again", { timeout: 240_000 }, async () => {
    const topic = open(randomName(), { maxMessages: 10, maxKeys: 20_000 });
    await topic.set("first", 1);
    const changes = topic.follow();
    expect(await upTo(changes, "live")).toEqual(["first=1", "live"]);
    const position = (await topic.get("first"))!.position;
    for (let at = 0; at < 10_100; at += 500) {
      const keys = numbers(500, at).map((each) => `k${each}`);
      await Promise.all(keys.map((key) => topic.set(key, 1)));
      await Promise.all(keys.map((key) => topic.delete(key)));
    }
    expect(await handles.send("ZCARD", keyOf(topic.name, "deleted"))).toBe(10_000);
    const again = topic.follow({ from: position });
    expect(await upTo(again, "reset")).toContain("reset");
    expect(await upTo(again, "live")).toEqual(["first=1", "live"]);
    await Promise.all([changes.return(), again.return()]);
  });

  it("keys stay for ever, or for as long as `expires` says, and `expires` is renewed", async () => {
    const ttl = async (name: string): Promise<unknown[]> =>
      Promise.all(["latest", "places", "meta"].map((part) => handles.send("PTTL", keyOf(name, part))));
    const kept = open();
    await kept.set("a", 1);
    expect(await ttl(kept.name)).toEqual([-1, -1, -1]);
    const expiring = open(randomName(), { expires: "10m" });
    await expiring.set("a", 1);
    await expiring.delete("a");
    await expiring.set("a", 1);
    // Another message within the next minute does not renew it, and has its ten minutes all the same.
    for (const left of await ttl(expiring.name)) expect(left).toBeGreaterThan(600_000);
    expect(await handles.send("PTTL", keyOf(expiring.name, "latest"))).toBeLessThanOrEqual(660_000);
  });

  it.each([["latest"], ["places"], ["latest", "places", "deleted"]])(
    "where %s was evicted the rest goes too, and followers begin again",
    async (...parts) => {
      const topic = open();
      await topic.set("a", 1);
      await topic.set("b", 2);
      await topic.delete("b");
      const changes = topic.follow();
      expect(await upTo(changes, "live")).toEqual(["a=1", "live"]);
      const { position } = (await topic.get("a"))!;
      for (const part of parts) await handles.send("DEL", keyOf(topic.name, part));
      await topic.set("c", 3);
      expect(await upTo(topic.follow(), "live")).toEqual(["c=3", "live"]);
      expect(await upTo(changes, "reset")).toContain("reset");
      expect(await upTo(changes, "live")).toEqual(["c=3", "live"]);
      // Also who comes back with a place from before.
      const again = topic.follow({ from: position });
      await upTo(again, "reset");
      expect(await upTo(again, "live")).toEqual(["c=3", "live"]);
      expect((await topic.info()).messages).toBe(4);
      await Promise.all([changes.return(), again.return()]);
    },
  );

  it("who comes back with the position of a deletion that the log had no more is told of an eviction", async () => {
    const topic = open();
    await topic.set("a", 1);
    const { position } = (await topic.get("a"))!;
    await topic.set("b", 2);
    await topic.delete("a");
    await handles.send("XTRIM", keyOf(topic.name, "log"), "MAXLEN", "0");
    await topic.set("d", 3);
    const changes = topic.follow({ from: position });
    let from = "";
    for await (const change of changes) {
      from = change.position;
      if (change.type === "delete") break;
    }
    const before = topic.follow({ from });
    expect(await upTo(before, "d=3")).toEqual(["live", "d=3"]);
    await handles.send("DEL", keyOf(topic.name, "latest"));
    await topic.set("c", 4);
    const again = topic.follow({ from });
    expect(await upTo(again, "reset")).toContain("reset");
    expect(await upTo(again, "live")).toEqual(["c=4", "live"]);
    await Promise.all([before.return(), again.return()]);
  });

  it("where tombstones were evicted nothing is lost, and who needs them begins again", async () => {
    const topic = open();
    await topic.set("a", 1);
    await topic.set("b", 2);
    const { position } = (await topic.get("a"))!;
    await topic.delete("b");
    await handles.send("DEL", keyOf(topic.name, "deleted"));
    await topic.set("c", 3);
    expect(await upTo(topic.follow(), "live")).toEqual(["a=1", "c=3", "live"]);
    await handles.send("XTRIM", keyOf(topic.name, "log"), "MAXLEN", "0");
    await topic.set("d", 4);
    const again = topic.follow({ from: position });
    expect(await upTo(again, "reset")).toEqual(["live", "reset"]);
    expect(await upTo(again, "live")).toEqual(["a=1", "c=3", "d=4", "live"]);
    await again.return();
  });

  it.each([["meta"], ["log"], ["meta", "log"]])(
    "where %s was evicted the keys are there, and offsets go on",
    async (...parts) => {
      const topic = open();
      await topic.set("a", 1);
      await topic.set("b", 2);
      for (const part of parts) await handles.send("DEL", keyOf(topic.name, part));
      const changes = other(topic).follow();
      expect(await upTo(changes, "live")).toEqual(["a=1", "b=2", "live"]);
      expect(await topic.set("c", 3)).toMatchObject({ status: "ok", offset: 3 });
      expect(await upTo(changes, "c=3")).toEqual(["c=3"]);
      expect((await topic.get("a"))!.payload).toBe(1);
      await changes.return();
    },
  );

  it("after a deletion too offsets go on where meta and log were evicted", async () => {
    const topic = open();
    await topic.set("a", 1);
    await topic.set("b", 2);
    await topic.delete("b");
    for (const part of ["meta", "log"]) await handles.send("DEL", keyOf(topic.name, part));
    expect(await topic.set("c", 3)).toMatchObject({ status: "ok", offset: 4 });
  });

  it("an eviction is told to who comes back also with a position of a clock that was ahead", async () => {
    const topic = open();
    await topic.set("a", 1);
    await handles.send("HSET", keyOf(topic.name, "meta"), "at", String(Date.now() + 3_600_000));
    await topic.set("b", 2);
    const { position } = (await topic.get("b"))!;
    await handles.send("DEL", keyOf(topic.name, "latest"));
    await topic.set("c", 3);
    const again = topic.follow({ from: position });
    expect(await upTo(again, "reset")).toContain("reset");
    expect(await upTo(again, "live")).toEqual(["c=3", "live"]);
    await again.return();
  });

  it("beside one without `latest` in one process each knows its own packs", async () => {
    const topic = open();
    const setting = numbers(9).map((each) => topic.set("a", each));
    expect(await Promise.all([...setting, topic.delete("none")])).toHaveLength(10);
    expect(await handles.a.topic<number>(topic.name).publish(1, { key: "z" })).toMatchObject({ status: "ok" });
  });

  it("a flushed topic is a reset, for who follows and for who comes back", async () => {
    const topic = open();
    await topic.set("a", 1);
    const { position } = (await topic.get("a"))!;
    const changes = topic.follow();
    expect(await upTo(changes, "live")).toEqual(["a=1", "live"]);
    for (const part of ["log", "meta", "latest", "places", "deleted"])
      await handles.send("DEL", keyOf(topic.name, part));
    await topic.set("b", 2);
    expect(await upTo(changes, "reset")).toEqual(["reset"]);
    expect(await upTo(changes, "live")).toEqual(["b=2", "live"]);
    const again = topic.follow({ from: position });
    expect(await upTo(again, "reset")).toEqual(["live", "reset"]);
    expect(await upTo(again, "live")).toEqual(["b=2", "live"]);
    await Promise.all([changes.return(), again.return()]);
  });

  it("a filter sees keys, and what cannot be decoded is reported and left out", async () => {
    const name = randomName();
    const bytes = handles.a.topic<Buffer>(name, { serializer: "bytes", latest: true });
    const topic = open(name);
    await topic.set("a", 1);
    await bytes.set("b", Buffer.from("no JSON"));
    await topic.set("c", 3);
    const errors: unknown[] = [];
    const changes = topic.follow({ filter: (key) => key !== "a", onError: (error, raw) => errors.push([error, raw]) });
    expect(await upTo(changes, "live")).toEqual(["c=3", "live"]);
    expect(errors).toMatchObject([[{ code: "CODEC" }, { key: "b", partition: 0, offset: 2 }]]);
    await expect(topic.get("b")).rejects.toMatchObject({ code: "CODEC" });
    await changes.return();
  });

  it.each(["signal", "return", "end of the handle"])("ends by %s", async (by) => {
    const own = await handles.another();
    const controller = new AbortController();
    const topic = own.topic<number>(randomName(), { latest: true });
    const changes = topic.follow({ signal: controller.signal });
    expect(await upTo(changes, "live")).toEqual(["live"]);
    if (by === "return") await changes.return();
    const waiting = changes.next();
    if (by === "signal") controller.abort();
    else if (by === "end of the handle") await own.close();
    expect(await waiting).toEqual({ value: undefined, done: true });
    await own.close();
  });

  it("partitions: a key is in its own, and each has its own keys", async () => {
    const topic = open(randomName(), { partitions: 4 });
    for (const each of numbers(20)) {
      const key = `k${each}`;
      expect(await topic.set(key, each)).toMatchObject({ status: "ok", partition: partitionOf(key, 4) });
    }
    expect(await topic.count()).toBe(20);
    expect((await topic.getMany(numbers(20).map((each) => `k${each}`))).size).toBe(20);
    await topic.delete("k7");
    expect(await topic.get("k7")).toBeUndefined();
    expect(await topic.count()).toBe(19);
  });

  it("bad input is refused at the door", async () => {
    const topic = open();
    const refused: [() => unknown, string][] = [
      [() => topic.set("", 1), "key"],
      [() => topic.set("a", 1, { ifPosition: "x" }), "ifPosition"],
      [() => topic.set("a", 1, { ifPosition: "1.0.1.1", ifNew: true }), "ifPosition"],
      [() => topic.set("a", 1, { ifNew: 1 as never }), "ifNew"],
      [() => topic.set("a", 1, { ifnew: true } as never), "ifnew"],
      [() => topic.delete("a", { ifNew: true } as never), "ifNew"],
      [() => topic.publish(1), "key"],
      [() => topic.publish(1, {}), "key"],
      [() => topic.get(""), "key"],
      [() => topic.getMany([""]), "key"],
      [async () => topic.follow({ from: "now" }), "from"],
      [async () => topic.follow({ from: 1 as never }), "from"],
      [async () => topic.follow({ from: "part_x" }), "from"],
      [async () => topic.follow({ from: "1.7.1.1" }), "from"],
      [async () => topic.follow({ filter: 1 as never }), "filter"],
      [async () => topic.follow({ signal: {} as never }), "signal"],
      [async () => handles.a.topic("t", { maxKeys: 1 }), "maxKeys"],
      [async () => handles.a.topic("t", { expires: "1d" }), "expires"],
      [async () => handles.a.topic("t", { latest: true, delays: true }), "delays"],
      [async () => handles.a.topic("t", { latest: 1 as never }), "latest"],
      [async () => handles.a.topic("t", { latest: true, maxKeys: 0 }), "maxKeys"],
      [async () => handles.a.topic("t", { latest: true, expires: 5 }), "expires"],
    ];
    for (const [call, field] of refused)
      await expect(call()).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
  });
});
