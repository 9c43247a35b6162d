/**
 * Writing behind: what could go wrong, and the test for each (the death of processes: test/write-behind/kill.test.ts):
 * - the database does not get it, or not the last value of an entry ................ "writes to the database"
 * - a removal and a value change places ............................................ "in their order"
 * - a write that is accepted while the one before is under way is lost .............. "while the one before"
 * - an entry expires or is evicted, and the old row is loaded and cached ............ "loads no old row"
 * - a row that is refused makes the others fail for ever, or is lost ................ "is put aside"
 * - a database that is away loses writes ........................................... "tried again"
 * - a writer that hangs holds everything up ........................................ "writeTimeout"
 * - the process is closed with writes that linger .................................. "close"
 * - a process that was frozen overwrites what another has written since ............ "late"
 * - a database that is away fills the server's memory ............................. "maxWaiting"
 * - one of the keys is evicted ..................................................... "evicted"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import { slotOf } from "../../driver/slot.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { CacheOptions } from "../options.ts";
import type { CacheWriteEntry, CacheWriterOptions } from "./options.ts";

/** A database that takes what is newer. */
class Rows {
  readonly rows = new Map<string, { readonly value: number; readonly version: number }>();
  readonly calls: CacheWriteEntry<number>[][] = [];
  refuse: (entry: CacheWriteEntry<number>) => boolean = () => false;
  isAway = false;

  readonly write = async (entries: readonly CacheWriteEntry<number>[]): Promise<Map<string, Error>> => {
    if (this.isAway) throw new Error("the database is away");
    this.calls.push([...entries]);
    const failed = new Map<string, Error>();
    for (const entry of entries) {
      const { id, value, version } = entry;
      if (this.refuse(entry)) failed.set(id, new Error("no such column"));
      else if (value === undefined) this.rows.delete(id);
      else if ((this.rows.get(id)?.version ?? 0) < version) this.rows.set(id, { value, version });
    }
    return failed;
  };

  value(id: string): number | undefined {
    return this.rows.get(id)?.value;
  }
}

describe.each(backends("standalone", "cluster", "embedded"))("a writer behind [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let prefix: string;
  beforeAll(async () => {
    prefix = `test-${randomUUID()}`;
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  const QUICK = { mode: "behind", linger: "10ms", poll: "50ms", backoff: "10ms" } as const;
  const cacheOf = (
    db: Rows,
    own: CacheWriterOptions<number> = {},
    terms: CacheOptions<number> = {},
    handle = hf,
    name: string = randomUUID(),
  ) =>
    handle.cache<number>(name, {
      timeout: "30s",
      ...terms,
      writer: { ...QUICK, write: db.write, onError: () => undefined, ...own },
    });
  const drained = (cache: ReturnType<typeof cacheOf>) =>
    until("the database has all", async () => (await cache.writer.lag()).count === 0);

  it("stores a value at once and writes to the database soon, the last one of each entry", async () => {
    const db = new Rows();
    const cache = cacheOf(db, { linger: "100ms" });
    const versions: number[] = [];
    for (let n = 1; n <= 5; n += 1) versions.push((await cache.write("a", n)).version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(5);
    expect(await cache.get("a")).toBe(5);
    await drained(cache);
    expect(db.value("a")).toBe(5);
    expect(db.rows.get("a")!.version).toBe(versions[4]);
    expect(db.calls.length).toBeLessThan(5);
    expect(cache.writer.stats()).toMatchObject({ failed: 0, dead: 0, lost: 0 });
  });

  it("keeps values and removals of an entry in their order, also where nobody waits for them", async () => {
    const db = new Rows();
    const cache = cacheOf(db);
    await Promise.all([
      cache.write("a", 1),
      cache.write("a", undefined),
      cache.write("b", undefined),
      cache.write("b", 2),
    ]);
    expect([await cache.get("a"), await cache.get("b")]).toEqual([undefined, 2]);
    await drained(cache);
    expect([db.value("a"), db.value("b")]).toEqual([undefined, 2]);
    const set = cache.set("c", 1);
    const written = cache.write("c", 2);
    const again = cache.set("d", 1);
    const last = cache.set("c", 3);
    await Promise.all([set, written, again, last]);
    expect(await cache.get("c")).toBe(3);
  });

  it("writes many in batches", async () => {
    const db = new Rows();
    const cache = cacheOf(db, { batch: 40 });
    const results = await cache.writeMany(Array.from({ length: 100 }, (_, at) => [`n${at}`, at] as const));
    expect(results.size).toBe(100);
    await drained(cache);
    expect(db.rows.size).toBe(100);
    expect(db.calls.every((call) => call.length <= 40)).toBe(true);
    expect(await cache.getMany(["n0", "n99"])).toEqual(
      new Map([
        ["n0", 0],
        ["n99", 99],
      ]),
    );
  });

  it("a write that is accepted while the one before is under way follows it", async () => {
    const db = new Rows();
    const seen: unknown[] = [];
    const gate = new Deferred<void>();
    const begun = new Deferred<void>();
    const write: CacheWriterOptions<number>["write"] = async (entries) => {
      seen.push(...entries.map(({ value }) => value));
      begun.resolve();
      await gate.promise;
      return db.write(entries);
    };
    const cache = cacheOf(db, { write });
    await cache.write("a", 1);
    await begun.promise;
    await cache.write("a", 2);
    await cache.write("a", 3);
    expect(seen).toEqual([1]);
    gate.resolve();
    await drained(cache);
    expect(seen).toEqual([1, 3]);
    expect(db.value("a")).toBe(3);
  });

  it("loads no old row while the database is behind: what waits is the answer, and is cached", async () => {
    const db = new Rows();
    db.rows.set("a", { value: 1, version: 1 });
    const cache = cacheOf(db);
    await cache.writer.pause();
    await cache.write("a", 2);
    // As an eviction does it, or the end of its ttl.
    await cache.delete("a");
    expect(await cache.get("a")).toBe(2);
    expect(await cache.getMany(["a"])).toEqual(new Map([["a", 2]]));
    expect(await cache.getOrSet("a", () => db.value("a")!)).toBe(2);
    await cache.delete("a");
    expect(
      await cache.getOrSetMany(
        ["a", "b"],
        () =>
          new Map([
            ["a", 1],
            ["b", 7],
          ]),
      ),
    ).toEqual(
      new Map([
        ["a", 2],
        ["b", 7],
      ]),
    );
    await cache.write("a", undefined);
    expect(await cache.getOrSet("a", () => db.value("a"))).toBeUndefined();
    await cache.writer.resume();
    await drained(cache);
    expect(db.value("a")).toBeUndefined();
    // Now the database knows.
    expect(await cache.getOrSet("a", () => 5)).toBe(5);
  });

  it("a load that began before a write is not stored over it", async () => {
    const db = new Rows();
    const cache = cacheOf(db);
    const [begun, gate] = [new Deferred<void>(), new Deferred<void>()];
    const loaded = cache.getOrSet("a", async () => {
      begun.resolve();
      await gate.promise;
      return 1;
    });
    await begun.promise;
    await cache.write("a", 2);
    gate.resolve();
    await loaded;
    expect(await cache.get("a")).toBe(2);
    await drained(cache);
  });

  it("what a database that is away refuses is tried again", async () => {
    const db = new Rows();
    db.isAway = true;
    const errors: unknown[] = [];
    const cache = cacheOf(db, { onError: (error) => void errors.push(error) });
    await cache.writeMany([
      ["a", 1],
      ["b", 2],
    ]);
    await until("it has failed", () => cache.writer.stats().failed >= 4);
    const { count, oldestMs, dead } = await cache.writer.lag();
    expect([count, dead]).toEqual([2, 0]);
    expect(oldestMs).toBeGreaterThan(0);
    expect(String(errors[0])).toContain("the database is away");
    db.isAway = false;
    await drained(cache);
    expect([db.value("a"), db.value("b")]).toEqual([1, 2]);
  });

  it("a row that is refused for good is put aside, the others are not; then readers get what the database has; it can be redriven", async () => {
    const db = new Rows();
    db.rows.set("bad", { value: 0, version: 1 });
    db.refuse = ({ id, value }) => id === "bad" && value !== undefined;
    const cache = cacheOf(db, { attempts: 4 });
    await cache.writeMany([
      ["bad", 1],
      ["good", 2],
    ]);
    await until("it is put aside", async () => (await cache.writer.lag()).dead === 1);
    expect(db.value("good")).toBe(2);
    expect(await cache.getOrSet("bad", () => db.value("bad")!)).toBe(0);
    const letters = [];
    for await (const letter of cache.writer.dead.entries()) letters.push(letter);
    expect(letters).toEqual([expect.objectContaining({ id: "bad", value: 1, attempts: 4, reason: "no such column" })]);
    db.refuse = () => false;
    expect(await cache.writer.dead.redrive()).toBe(1);
    expect(await cache.getOrSet("bad", () => db.value("bad")!)).toBe(1);
    await drained(cache);
    expect(db.value("bad")).toBe(1);
    expect((await cache.writer.lag()).dead).toBe(0);
    expect(await cache.writer.dead.redrive(["bad"])).toBe(0);
  });

  it("a newer write replaces one that was put aside, and one can be forgotten", async () => {
    const db = new Rows();
    db.refuse = ({ value }) => value === 1;
    const cache = cacheOf(db, { attempts: 1 });
    await cache.writeMany([
      ["a", 1],
      ["b", 1],
    ]);
    await until("they are put aside", async () => (await cache.writer.lag()).dead === 2);
    await cache.write("a", 2);
    expect((await cache.writer.lag()).dead).toBe(1);
    expect(await cache.writer.dead.delete(["b"])).toBe(1);
    await drained(cache);
    expect(await cache.writer.lag()).toEqual({ count: 0, oldestMs: 0, dead: 0, isPaused: false });
  });

  it("a call that exceeds writeTimeout is called off and tried again", async () => {
    const db = new Rows();
    const reasons: unknown[] = [];
    let calls = 0;
    const write: CacheWriterOptions<number>["write"] = async (entries, { signal }) => {
      calls += 1;
      if (calls > 1) return db.write(entries);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      reasons.push(signal.reason);
      throw signal.reason;
    };
    const cache = cacheOf(db, { write, writeTimeout: "50ms" });
    await cache.write("a", 1);
    await drained(cache);
    expect(reasons).toEqual([expect.objectContaining({ code: "TIMEOUT" })]);
    expect(db.value("a")).toBe(1);
  });

  it("close writes what lingers, within drainTimeout; what is left is there at the next start", async () => {
    const db = new Rows();
    const name = randomUUID();
    const other = await connect(url, { ...options, prefix });
    const lingering = cacheOf(db, { linger: "1h", claim: "11s" }, {}, other, name);
    await lingering.write("a", 1);
    await other.close();
    expect(db.value("a")).toBe(1);
    db.isAway = true;
    const third = await connect(url, { ...options, prefix });
    await cacheOf(db, { drainTimeout: "100ms" }, {}, third, name).write("b", 2);
    await third.close();
    expect(db.value("b")).toBeUndefined();
    db.isAway = false;
    await drained(cacheOf(db, {}, {}, hf, name));
    expect(db.value("b")).toBe(2);
  });

  it("processes without the function accept, and others write; pause holds all of them", async () => {
    const db = new Rows();
    const name = randomUUID();
    const other = await connect(url, { ...options, prefix });
    const accepting = other.cache<number>(name, { writer: { mode: "behind", linger: 0 } });
    const writing = cacheOf(db, {}, {}, hf, name);
    await accepting.writer.pause();
    await accepting.write("a", 1);
    expect(await writing.writer.lag()).toMatchObject({ count: 1, isPaused: true });
    await expect(accepting.writer.drain()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await accepting.writer.resume();
    await drained(writing);
    expect(db.value("a")).toBe(1);
    await other.close();
  });

  it("what a process writes late, after another has written a newer value, is refused by its version", async () => {
    const db = new Rows();
    const name = randomUUID();
    const frozen = await connect(url, { ...options, prefix });
    const [begun, gate] = [new Deferred<void>(), new Deferred<void>()];
    const late: CacheWriterOptions<number>["write"] = async (entries) => {
      begun.resolve();
      await gate.promise;
      return db.write(entries);
    };
    const terms = { writeTimeout: "400ms", claim: "500ms" } as const;
    const first = cacheOf(db, { ...terms, write: late, drainTimeout: 0 }, {}, frozen, name);
    await first.write("a", 1);
    await begun.promise;
    const second = cacheOf(db, { ...terms }, {}, hf, name);
    await second.write("a", 2);
    await drained(second);
    expect(db.value("a")).toBe(2);
    gate.resolve();
    await frozen.close();
    // The database has refused it by its version.
    expect(db.value("a")).toBe(2);
    expect((await second.writer.lag()).count).toBe(0);
  });

  async function evicted(part: string) {
    const db = new Rows();
    const errors: string[] = [];
    const name = randomUUID();
    const cache = cacheOf(db, { onError: (error) => void errors.push(String(error)) }, {}, hf, name);
    await cache.writer.pause();
    await cache.write("a", 1);
    const keys: string[] = [];
    for await (const page of hf.scan(`writes:${name}`)) keys.push(...page);
    await hf.command(
      "DEL",
      keys.find((each) => each.endsWith(`:${part}`))!,
    );
    await cache.writer.resume();
    return { db, cache, errors };
  }

  it.each(["due", "since"])("loses nothing when %s is evicted", async (part) => {
    const { db, cache, errors } = await evicted(part);
    await until("it is written", () => db.value("a") === 1);
    await drained(cache);
    expect(errors).toEqual([]);
  });

  it("says what is lost when the values are evicted, and goes on", async () => {
    const { db, cache, errors } = await evicted("pending");
    await until("it is reported", () => cache.writer.stats().lost === 1);
    expect(errors.join()).toContain('"a" is lost: the server has evicted it');
    await cache.write("a", 2);
    await drained(cache);
    expect(db.value("a")).toBe(2);
  });

  it("goes on when what was put aside is evicted: the entry is what the database has, and is written again", async () => {
    const db = new Rows();
    const name = randomUUID();
    const cache = cacheOf(db, { attempts: 1 }, {}, hf, name);
    db.refuse = () => true;
    await cache.write("a", 1);
    await until("it is put aside", async () => (await cache.writer.lag()).dead === 1);
    const keys: string[] = [];
    for await (const page of hf.scan(`writes:${name}`)) keys.push(...page);
    await hf.command(
      "DEL",
      keys.find((each) => each.endsWith(":dead"))!,
    );
    expect(await cache.writer.lag()).toMatchObject({ count: 0, dead: 0 });
    expect([await cache.writer.dead.redrive(), await cache.getOrSet("a", () => 7)]).toEqual([0, 7]);
    db.refuse = () => false;
    await cache.write("a", 2);
    await drained(cache);
    expect(db.value("a")).toBe(2);
  });

  it("accepts no more than maxWaiting entries, and those again that wait or were put aside", async () => {
    const db = new Rows();
    const cache = cacheOf(db, { maxWaiting: 1, attempts: 1 });
    // In one slot, as a cluster has a bound for each.
    const ids = Array.from({ length: 100_000 }, (_, at) => `n${at}`).filter((id) => slotOf(id) === slotOf("n0"));
    const [a, b, c] = ids as [string, string, string];
    await cache.writer.pause();
    for (const value of [1, 2]) expect(await cache.write(a, value)).toMatchObject({ status: "ok" });
    await cache.set(b, 5);
    const message = expect.stringContaining("raise writer.maxWaiting");
    await expect(cache.write(b, 6)).rejects.toMatchObject({ code: "OVERLOADED", retryable: true, message });
    // Nothing has changed.
    expect(await cache.get(b)).toBe(5);
    const many = [a, b].map((id) => [id, 3] as const);
    await expect(cache.writeMany(many)).rejects.toMatchObject({
      code: "PARTIAL",
      errors: new Map([[b, expect.objectContaining({ code: "OVERLOADED" })]]),
    });
    db.refuse = ({ id }) => id === a;
    await cache.writer.resume();
    await until("it is put aside", async () => (await cache.writer.lag()).dead === 1);
    await expect(cache.write(c, 1)).rejects.toMatchObject({ code: "OVERLOADED" });
    db.refuse = () => false;
    expect(await cache.write(a, 4)).toMatchObject({ status: "ok" });
    await drained(cache);
    expect(await cache.write(c, 7)).toMatchObject({ status: "ok" });
    await drained(cache);
    expect([db.value(a), db.value(b), db.value(c)]).toEqual([4, undefined, 7]);
  });

  it("finds what was accepted by a process that died before it could give a hint", async () => {
    const db = new Rows();
    const name = randomUUID();
    const accepting = hf.cache<number>(name, { writer: { mode: "behind" } });
    await accepting.write("a", 1);
    // As if it had not been given.
    await hf.command("DEL", `${prefix}:writes:{${name}}:slots`);
    const cache = cacheOf(db, { sweep: "2s" }, {}, hf, name);
    await until("it is written", () => db.value("a") === 1);
    await cache.writer.pause();
    expect(cache.writer.stats().written).toBe(1);
  });

  it("leaves nothing behind but its last number, for a day", async () => {
    const db = new Rows();
    const name = randomUUID();
    const cache = cacheOf(db, {}, {}, hf, name);
    await cache.writeMany(Array.from({ length: 20 }, (_, at) => [`n${at}`, at] as const));
    await drained(cache);
    const keys: string[] = [];
    for await (const page of hf.scan(`writes:${name}`)) keys.push(...page);
    for (const key of keys.filter((each) => each.endsWith("}:pending")))
      expect(Number(await hf.command("PTTL", key))).toBeGreaterThan(80_000_000);
    expect(keys.filter((each) => /:(due|since|dead)$/.test(each))).toEqual([]);
  });

  it("refuses by name", async () => {
    const make = (writer: unknown) => () => hf.cache("x", { writer: writer as never });
    expect(make({ mode: "sideways" })).toThrow(/writer\.mode/);
    expect(make({})).toThrow(/writer\.write/);
    expect(make(5)).toThrow(/writer/);
    expect(make({ mode: "behind", lingr: 1 })).toThrow(/linger/);
    expect(make({ mode: "behind", maxWaiting: 0 })).toThrow(/writer\.maxWaiting/);
    expect(make({ mode: "behind", claim: "1s" })).toThrow(/writer\.claim/);
    await expect(hf.cache("x").write("a", 1)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(cacheOf(new Rows()).write("", 1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
