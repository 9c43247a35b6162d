/**
 * What could go wrong, and the test for each:
 * - a write over another's is lost without a word ................... "compares and sets"
 * - updates at a time lose one .................................... "each update happens once"
 * - a version comes again after a deletion or the loss of the key ... "versions rise across"
 * - who watches misses a change, or sees one twice .................. "yields the present value, then newer ones"
 * - a slow consumer gets each of a thousand ........................ "a slow consumer sees the latest"
 * - the loss of the key is not seen, or an older value is ........... "the loss of the key", "an older value"
 * - what a reader does to a value is seen by others ................ "initial"
 * - a value of another schema is handed on ......................... "what cannot be read"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { CodecError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";

describe.each(backends())("value [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("sets, gets, compares and sets, deletes", async () => {
    const name = randomName();
    const [mine, theirs] = [a.value<string>(name), b.value<string>(name)];
    expect(await mine.get()).toBeUndefined();
    const { version } = await mine.set("one");
    expect(await theirs.get()).toEqual({ value: "one", version });
    expect(await theirs.compareAndSet(0, "two")).toEqual({ status: "conflict", version });
    const second = await theirs.compareAndSet(version, "two");
    expect(second).toMatchObject({ status: "ok" });
    expect(second.version).toBeGreaterThan(version);
    expect(await mine.compareAndSet(version, "three")).toEqual({ status: "conflict", version: second.version });
    expect(await mine.delete()).toBe(true);
    expect(await mine.delete()).toBe(false);
    expect(await theirs.get()).toBeUndefined();
    expect(await mine.compareAndSet(second.version, "four")).toEqual({ status: "conflict", version: 0 });
    expect(await mine.compareAndSet(0, "four")).toMatchObject({ status: "ok" });
  });

  it("versions rise across a deletion and the loss of the key", async () => {
    const name = randomName();
    const value = a.value<number>(name);
    const first = await value.set(1);
    await value.delete();
    const second = await value.set(2);
    await handles.send("DEL", `${handles.prefix}:value:{${name}}`);
    const third = await value.set(3);
    expect(second.version).toBeGreaterThan(first.version);
    expect(third.version).toBeGreaterThan(second.version);
  });

  it("each update happens once, and says where nothing is stored", async () => {
    const name = randomName();
    const [mine, theirs] = [a.value<number>(name, { attempts: 100 }), b.value<number>(name, { attempts: 100 })];
    expect(await mine.update((n) => n + 1)).toEqual({ status: "missing" });
    const updates = [mine, theirs].flatMap((value) =>
      Array.from({ length: 10 }, () => value.update((n) => n + 1, { initial: 0 })),
    );
    const results = await Promise.all(updates);
    expect(new Set(results.map((result) => result.status))).toEqual(new Set(["ok"]));
    expect(await mine.get()).toMatchObject({ value: 20 });
    const always = async (n: number): Promise<number> => {
      await theirs.set(0);
      return n + 1;
    };
    expect(await a.value<number>(name, { attempts: 2 }).update(always)).toMatchObject({ status: "conflict" });
  });

  it("initial is read where nothing is stored, each time as it was given", async () => {
    const name = randomName();
    const value = a.value<{ on: string[] }>(name, { initial: { on: [] } });
    const entry = await value.get();
    entry!.value.on.push("x");
    expect(await value.get()).toEqual({ value: { on: [] }, version: 0 });
    await using states = value.watch();
    expect((await states.next()).value).toEqual({ value: { on: [] }, version: 0, stale: false });
    expect(await value.update(({ on }) => ({ on: [...on, "y"] }))).toMatchObject({ value: { on: ["y"] } });
    await value.delete();
    expect(await value.get()).toEqual({ value: { on: [] }, version: 0 });
  });

  it("watch yields the present value, then newer ones; a slow consumer sees the latest", async () => {
    const name = randomName();
    const value = a.value<number>(name);
    const first = await value.set(1);
    await using states = b.value<number>(name).watch();
    expect((await states.next()).value).toEqual({ value: 1, version: first.version, stale: false });
    const next = states.next();
    const second = await value.set(2);
    expect((await next).value).toEqual({ value: 2, version: second.version, stale: false });
    for (let n = 3; n <= 50; n += 1) await value.set(n);
    let seen = 0;
    for (let last = 0; last !== 50; seen += 1) last = (await states.next()).value!.value!;
    // Messages may be on their way when it is read.
    expect(seen).toBeLessThan(40);
    const gone = states.next();
    await value.delete();
    const deleted = (await gone).value!;
    expect(deleted.value).toBeUndefined();
    expect(deleted.version).toBeGreaterThan(second.version);
    const end = states.next();
    await states.return!();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  it("watch ends with its signal, at break, and with its handle", async () => {
    const name = randomName();
    await a.value<number>(name).set(1);
    for await (const { value } of a.value<number>(name).watch()) {
      expect(value).toBe(1);
      break;
    }
    const abort = new AbortController();
    const closing = await handles.another();
    const all = [a.value(name).watch({ signal: abort.signal }), closing.value(name).watch()];
    await Promise.all(all.map((states) => states.next()));
    const ends = all.map((states) => states.next());
    abort.abort();
    await closing.close();
    for (const end of await Promise.all(ends)) expect(end).toEqual({ done: true, value: undefined });
    expect(await a.value(name).watch({ signal: abort.signal }).next()).toEqual({ done: true, value: undefined });
  });

  it("what cannot be read is an error of get, and the end of a watch", async () => {
    const name = randomName();
    await a.value(name, { serializer: "msgpack" }).set(1);
    await expect(b.value(name).get()).rejects.toBeInstanceOf(CodecError);
    const states = b.value(name).watch();
    await expect(states.next()).rejects.toBeInstanceOf(CodecError);
    expect(await states.next()).toEqual({ done: true, value: undefined });
  });
});

describe("watching a value, under a virtual clock [embedded]", () => {
  const KEY = "p:value:{v}";

  it("the loss of the key is seen at the next look, and nothing older after it", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    await using hf = await server.connect({ prefix: "p" });
    const send = (...args: string[]): Promise<unknown> => hf.driver.send(args, { op: "t", class: "unsafe" }, KEY);
    const value = hf.value<number>("v");
    const { version } = await value.set(1);
    const states = value.watch();
    expect((await states.next()).value).toEqual({ value: 1, version, stale: false });
    const lost = states.next();
    await send("DEL", KEY);
    await server.clock.advance("31s");
    expect((await lost).value).toEqual({ value: undefined, version, stale: false });
    const again = states.next();
    const second = await value.set(2);
    expect((await again).value).toEqual({ value: 2, version: second.version, stale: false });
    // As after a failover to a replica that lags: an older value than the one that was seen.
    const older = states.next();
    await send("HSET", KEY, "version", String(version));
    await server.clock.advance("31s");
    expect((await older).value).toEqual({ value: 2, version: second.version, stale: true });
    const newer = states.next();
    await server.clock.advance("1ms");
    const third = await value.set(3);
    expect((await newer).value).toEqual({ value: 3, version: third.version, stale: false });
  });

  it("asks the server only when something has changed, and each half minute", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    await using hf = await server.connect({ prefix: "p" });
    const value = hf.value<number>("v");
    await value.set(1);
    const states = value.watch();
    await states.next();
    void states.next();
    const asked = async (): Promise<number> => {
      const info = String(await hf.driver.send(["INFO", "commandstats"], { op: "test", class: "read" }));
      return Number(/cmdstat_hmget:calls=(\d+)/.exec(info)?.[1] ?? 0);
    };
    const before = await asked();
    await server.clock.advance("61s");
    expect((await asked()) - before).toBe(2);
  });
});
