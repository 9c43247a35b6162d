/**
 * What could go wrong, and the test for each:
 * - each process runs the statement ................................. "one statement for the fleet"
 * - dates, bytes and bigints come back as something else ............. "come back as the client returns them"
 * - rows from before a commit are stored after it .................... "a statement that was under way over the commit"
 * - a read finds an older row than a write that has resolved ......... "no reader is behind" (random, two processes)
 * - a process dies between its commit and the invalidation ........... "dies right after the commit"
 * - the answer to the COMMIT is lost ................................. "the answer to its commit was lost"
 * - a commit that cannot be announced is taken for one that failed ... "says that it is committed"
 * - the server is away ............................................... "while the server is away"
 * - a transaction is rolled back, and a result ended or kept ......... "rolled back"
 * - a read inside a write is from before it .......................... "inside a write"
 */
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { holdfast } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { type CachedQueries, cachedQueries, NotInvalidatedError, type QueryDatabase } from "./index.ts";

interface Flight {
  readonly id: number;
  readonly gate: string;
}

const GATE = "SELECT id, gate FROM flights WHERE id = $1";
const TAGS = { tags: ["flights"] };

let db: PGlite;
let statements = 0;
type Tx = Parameters<Parameters<PGlite["transaction"]>[0]>[0];
/** PGlite, with statements that are counted. */
const counted: QueryDatabase<Tx> = {
  query: (text, params) => {
    statements += 1;
    return db.query(text, params);
  },
  transaction: (work) => db.transaction(work),
};

beforeAll(async () => {
  db = await PGlite.create();
  await db.query("CREATE TABLE flights (id int PRIMARY KEY, gate text NOT NULL)");
});
afterAll(() => db.close());
beforeEach(async () => {
  statements = 0;
  await db.query("DELETE FROM flights");
  await db.query("INSERT INTO flights VALUES (1, 'A1'), (2, 'B2')");
});

const setGate = (queries: CachedQueries<Tx>, gate: string) =>
  queries.write(["flights"], async (tx) => {
    await tx.query("UPDATE flights SET gate = $1 WHERE id = 1", [gate]);
    return gate;
  });
const gateBy = async (queries: CachedQueries<never> | CachedQueries<Tx>): Promise<string | undefined> =>
  (await queries.query<Flight>(GATE, [1], TAGS))[0]?.gate;

/** A database whose reads wait, when they have read, until they are let go. */
function held(): { database: QueryDatabase<Tx>; read: Promise<void>; letGo: () => void } {
  let hasRead!: () => void;
  let letGo!: () => void;
  const read = new Promise<void>((resolve) => (hasRead = resolve));
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const query: QueryDatabase<Tx>["query"] = async (text, params) => {
    const found = await db.query(text, params);
    hasRead();
    await gate;
    return found;
  };
  return { database: { ...counted, query }, read, letGo };
}

describe.each(backends())("cached queries [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const both = (name = randomName()): [CachedQueries<Tx>, CachedQueries<Tx>] => [
    cachedQueries(two.a, counted, { name }),
    cachedQueries(two.b, counted, { name }),
  ];

  it("one statement for the fleet, until its table is written", async () => {
    const [here, there] = both();
    const found = await Promise.all([here, there, here].map((each) => each.query<Flight>(GATE, [1], TAGS)));
    expect(found).toEqual([[{ id: 1, gate: "A1" }], [{ id: 1, gate: "A1" }], [{ id: 1, gate: "A1" }]]);
    expectTypeOf(found).toEqualTypeOf<Flight[][]>();
    expect(statements).toBe(1);
    expect(await setGate(here, "C3")).toBe("C3");
    expect([await gateBy(here), await gateBy(there)]).toEqual(["C3", "C3"]);
    expect(statements).toBe(2);
    await db.query("UPDATE flights SET gate = 'D4' WHERE id = 1");
    await there.invalidate({ tags: ["passengers"] });
    expect(await gateBy(here)).toBe("C3");
    await there.invalidate({ tags: ["flights"] });
    expect(await gateBy(here)).toBe("D4");
  });

  it.each([undefined, true])("rows come back as the client returns them, from memory as well (l1: %s)", async (l1) => {
    const name = randomName();
    const each = [two.a, two.b].map((hf) => cachedQueries(hf, counted, { name, ...(l1 ? { l1 } : {}) }));
    const all =
      "SELECT '2026-11-27T10:00:00Z'::timestamptz AS at, '\\x0102'::bytea AS bytes, ARRAY['\\x03'::bytea, NULL] AS many, " +
      "9007199254740993::int8 AS big, '{\"a\":[1]}'::jsonb AS json, NULL AS nothing, 1.5::float8 AS n";
    const row = {
      at: new Date("2026-11-27T10:00:00Z"),
      bytes: Buffer.from([1, 2]),
      many: [Buffer.from([3]), null],
      big: 9_007_199_254_740_993n,
      json: { a: [1] },
      nothing: null,
      n: 1.5,
    };
    for (const queries of [...each, ...each]) expect(await queries.query(all, [], { tags: [] })).toEqual([row]);
    expect(statements).toBe(1);
  });

  it("a statement that was under way over the commit is not stored", async () => {
    const name = randomName();
    const slow = held();
    const here = cachedQueries(two.a, slow.database, { name });
    const there = cachedQueries(two.b, counted, { name });
    const old = gateBy(here);
    await slow.read;
    await setGate(there, "C3");
    // Those who ask from now on may wait for that statement, but do not get what it has read.
    const after = [gateBy(here), gateBy(there)];
    slow.letGo();
    expect(await old).toBe("A1");
    expect(await Promise.all(after)).toEqual(["C3", "C3"]);
  });

  it("no reader is behind a write that had resolved when it asked", async () => {
    const [here, there] = both();
    let written = 0;
    const behind: string[] = [];
    const reads = async (queries: CachedQueries<Tx>): Promise<void> => {
      for (let at = 0; at < 60; at += 1) {
        const least = written;
        const gate = Number(await gateBy(queries));
        if (gate < least) behind.push(`${gate} < ${least}`);
      }
    };
    await setGate(here, "0");
    const writes = async (): Promise<void> => {
      for (let at = 1; at <= 20; at += 1) {
        await setGate(at % 2 === 0 ? here : there, String(at));
        written = at;
      }
    };
    await Promise.all([reads(here), reads(there), reads(here), writes()]);
    expect(behind).toEqual([]);
  });

  it("of a process that dies right after the commit nothing older is served than what was read in between", async () => {
    const name = randomName();
    const [dying, queries] = [await two.another(), cachedQueries(two.b, counted, { name })];
    expect(await gateBy(queries)).toBe("A1");
    const database: QueryDatabase<Tx> = {
      ...counted,
      transaction: async (work) => {
        const value = await db.transaction(work);
        await dying.close();
        return value;
      },
    };
    await expect(setGate(cachedQueries(dying, database, { name }), "C3")).rejects.toBeInstanceOf(NotInvalidatedError);
    expect(await gateBy(queries)).toBe("C3");
  });

  it("says that it is committed where that could not be announced, with what the transaction returned", async () => {
    const name = randomName();
    const failing = await two.another();
    const queries = cachedQueries(failing, { ...counted, transaction: closing(failing) }, { name });
    const error: unknown = await setGate(queries, "C3").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotInvalidatedError);
    expect(error).toMatchObject({ code: "PARTIAL", value: "C3", tags: ["flights"], retryable: false });
    expect(String(error)).toMatch(/the write is committed.*do not write again/);
    expect((await db.query("SELECT gate FROM flights WHERE id = 1")).rows).toEqual([{ gate: "C3" }]);
  });

  it("invalidates also where the answer to its commit was lost", async () => {
    const [queries] = both();
    expect(await gateBy(queries)).toBe("A1");
    const losing: QueryDatabase<Tx> = {
      ...counted,
      transaction: async (work) => {
        await db.transaction(work);
        // What others read between the two is from before, for all that they know.
        expect(await gateBy(queries)).toBe("C3");
        await db.query("UPDATE flights SET gate = 'D4' WHERE id = 1");
        throw new Error("connection lost");
      },
    };
    const writer = cachedQueries(two.a, losing, { name: queries.name });
    await expect(setGate(writer, "C3")).rejects.toThrow("connection lost");
    expect(await gateBy(queries)).toBe("D4");
  });

  it("rolled back: the error is the transaction's own, and results stay", async () => {
    const [queries] = both();
    expect(await gateBy(queries)).toBe("A1");
    const failed = queries.write(["flights"], async (tx) => {
      await tx.query("UPDATE flights SET gate = 'X' WHERE id = 1");
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await gateBy(queries)).toBe("A1");
    expect(statements).toBe(1);
  });

  it("what reads may be the caller's, with tables of its own", async () => {
    const [here, there] = both();
    let calls = 0;
    const late = (queries: CachedQueries<Tx>) =>
      queries.getOrSet({ model: "Flight", where: { gate: "A1" } }, () => ({ count: (calls += 1) }), TAGS);
    expectTypeOf(late).returns.resolves.toEqualTypeOf<{ count: number }>();
    expect([await late(here), await late(there)]).toEqual([{ count: 1 }, { count: 1 }]);
    await setGate(here, "C3");
    expect(await late(there)).toEqual({ count: 2 });
  });

  it("inside a write, what is cached of its tables is refused, and only as long as it runs", async () => {
    const [queries] = both();
    const refused = { code: "CONFLICT", op: "queries.query", message: /use the client that write gives/ };
    let later: Promise<unknown> | undefined;
    let letGo!: () => void;
    const isOver = new Promise<void>((resolve) => (letGo = resolve));
    await queries.write(["flights"], async (tx) => {
      await expect(gateBy(queries)).rejects.toMatchObject(refused);
      expect(await queries.getOrSet("of no table of it", () => 1, { tags: ["passengers"] })).toBe(1);
      later = isOver.then(() => gateBy(queries));
      await tx.query("UPDATE flights SET gate = 'C3' WHERE id = 1");
    });
    letGo();
    expect(await later).toBe("C3");
  });
});

function closing(hf: Holdfast): QueryDatabase<Tx>["transaction"] {
  return async (work) => {
    const value = await db.transaction(work);
    await hf.close();
    return value;
  };
}

it("while the server is away statements run, and what is written is as `onOutage` says, and said", async () => {
  await using away = holdfast("redis://127.0.0.1:1");
  const terms = { timeout: 50 } as const;
  const goingOn = cachedQueries(away, counted, terms);
  expect(await gateBy(goingOn)).toBe("A1");
  await expect(setGate(goingOn, "C3")).rejects.toBeInstanceOf(NotInvalidatedError);
  expect(await gateBy(goingOn)).toBe("C3");
  const strict = cachedQueries(away, counted, { ...terms, onOutage: "throw" });
  await expect(gateBy(strict)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(setGate(strict, "D4")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await gateBy(goingOn)).toBe("C3");
});
