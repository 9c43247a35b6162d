/**
 * `hf.locks.list()`: what is held, page by page. What could go wrong, and the test for each:
 * - a lock that is held is missing ............... "lists what is held", "in pages, over all partitions", "is listed again by its renewal"
 * - one that is free is shown .................... "what ended is not shown", also where nobody took it off
 * - a row is older than the lock ................. "as the lock itself has it"
 * - one lock on two rows ......................... "a shared lock is one row"
 * - a release takes the next holder off ........... "after a hand-over"
 * - the index grows, or stays for ever ............ "clears what is over"
 * - a full memory fails an acquire ................ "a full memory"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { ListedLock } from "./locks.ts";

const LISTED = { index: true, ttl: "1h" } as const;

async function all(of: Holdfast, limit?: number): Promise<ListedLock[]> {
  const found: ListedLock[] = [];
  let cursor: string | undefined;
  do {
    const page = await of.locks.list({ cursor, limit } as object);
    expect(page.locks.length).toBeLessThanOrEqual(limit ?? 100);
    found.push(...page.locks);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** The names that are listed, once they are so many: the index is written by nobody who is waited for. */
async function namesOf(of: Holdfast, count: number, limit?: number): Promise<string[]> {
  return until(`${count} locks on the list`, async () => {
    const found = await all(of, limit);
    return found.length === count && found.map(({ name }) => name).toSorted();
  });
}

/** The keys of the index, whose entries are of the names only where those are listed. */
async function indexOf(of: Holdfast): Promise<{ readonly keys: string[]; readonly entries: string[] }> {
  const keys: string[] = [];
  for await (const page of of.scan("locks:")) keys.push(...page);
  const sets = await Promise.all(keys.map((key) => of.command("ZRANGE", key, "0", "-1")));
  return { keys, entries: sets.flatMap((set) => (set as Buffer[]).map(String)) };
}

async function noEntryOf(of: Holdfast, names: readonly string[]): Promise<void> {
  await until("no entry of them", async () => {
    const { entries } = await indexOf(of);
    return !entries.some((entry) => names.some((name) => entry.startsWith(name)));
  });
}

describe.each(backends())("the list of locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  it("lists what is held, as the lock itself has it; what ended is not shown", async () => {
    const [name, unlisted] = [freshName(), freshName()];
    const held = await taken(hf, name, LISTED);
    const without = await taken(hf, unlisted);
    expect(await namesOf(other, 1)).toEqual([name]);
    const waiting = other.lock(name, LISTED).acquire();
    await waitersOf(hf, name, 1);
    const [row] = await all(other);
    expect(row).toMatchObject({ name, owner: held.owner, fence: held.fence, waiters: 1 });
    expect(row!.ttlMs).toBeGreaterThan(3_500_000);
    expect(row!.ageMs).toBeGreaterThanOrEqual(0);
    expect(row!.ageMs).toBeLessThan(600_000);
    await held.release();
    const next = await waiting;
    // After a hand-over the former holder's release takes only its own hold off.
    await until("the next holder", async () => (await all(hf))[0]?.fence === next.fence);
    const last = await other.lock(name, LISTED).resume(next.token);
    await until(
      "who resumed it",
      async () => (await all(hf))[0]?.fence === (last as { lock: { fence: number } }).lock.fence,
    );
    // Its entry stays, and the lock says that it is free.
    await hf.lock(name).forceRelease();
    expect(await all(other)).toEqual([]);
    await without.release();
  });

  it("in pages, over all partitions, each lock once; a shared lock is one row", async () => {
    const names = Array.from({ length: 40 }, (_, at) => `${freshName()}${at % 2 === 0 ? "" : "ä {b}"}`);
    const holds = await Promise.all(names.map((name) => taken(hf, name, LISTED)));
    const shared = freshName();
    const owned = { ...LISTED, owner: "job" };
    holds.push(await taken(hf, shared, owned), await taken(other, shared, owned), await taken(hf, shared, owned));
    for (const limit of [1, 7, undefined])
      expect(await namesOf(other, 41, limit)).toEqual([...names, shared].toSorted());
    await Promise.all(holds.map((held) => held.release()));
    await namesOf(other, 0);
    await noEntryOf(hf, names);
  });

  it("is listed again by its renewal; clears what is over", async () => {
    const name = freshName();
    const held = await taken(hf, name, { index: true, ttl: 900 });
    await namesOf(hf, 1);
    const { keys } = await indexOf(hf);
    const ttls = await Promise.all(keys.map((key) => fixture.send("PTTL", key)));
    expect(ttls.filter((ttl) => ttl === -1)).toEqual([]);
    for (const key of keys) await fixture.send("DEL", key);
    expect(await namesOf(hf, 1)).toEqual([name]);
    await held.release();
    await noEntryOf(hf, [name]);
  });

  it("refuses what is no page", async () => {
    for (const [field, bad] of [
      ["limit", { limit: 0 }],
      ["limit", { limit: 1_001 }],
      ["cursor", { cursor: "16.YQ" }],
      ["cursor", { cursor: "" }],
      ["cursor", { cursor: 5 }],
      ["options", 5],
    ] as const)
      await expect(hf.locks.list(bad as object)).rejects.toMatchObject({ field, op: "locks.list" });
    expect(() => hf.lock("a", { index: 1 } as object)).toThrow(/^lock "a": index/);
  });
});

it("the list of locks [standalone]: a full memory fails no renewal and no release", async () => {
  await using server = await startStandalone();
  await using hf = await connect(server.url, { prefix: freshName().slice(0, 20) });
  const held = await taken(hf, "a", LISTED);
  await namesOf(hf, 1);
  await server.command("CONFIG", "SET", "maxmemory", "1");
  expect(await held.extend()).toEqual({ status: "ok" });
  expect(await namesOf(hf, 1)).toEqual(["a"]);
  expect(await held.release()).toEqual({ status: "ok" });
  await noEntryOf(hf, ["a"]);
});
