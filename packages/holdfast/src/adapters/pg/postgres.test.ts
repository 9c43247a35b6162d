/**
 * On PostgreSQL, whose transactions run at once. What could go wrong, and the test for each:
 * - pg's rows come back as others ....................................... "rows of pg"
 * - a read finds an older row than a write that has resolved ............ "no reader is behind"
 * - rows that were read before the commit are stored after it ........... "before the commit"
 * - a transaction that PostgreSQL has rolled back counts as committed ... "a statement that failed"
 * - the connection is lost in the transaction ........................... "is lost"
 */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Postgres, startPostgres } from "../../../test/support/postgres.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { type CachedQueries, cachedQueries } from "./index.ts";

let postgres: Postgres | undefined;
try {
  postgres = await startPostgres();
} catch (error) {
  process.stderr.write(
    `cached queries: skipped on PostgreSQL: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}

const TAGS = { tags: ["flights"] };
const WRITES = 25;

describe.skipIf(postgres === undefined)("cached queries of pg", () => {
  const two = new TwoHandles({ url: "embedded://", options: {} });
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: postgres!.url, max: 8 });
    await pool.query("CREATE TABLE flights (id int PRIMARY KEY, gate int NOT NULL)");
  });
  beforeEach(async () => {
    await pool.query("DELETE FROM flights");
    await pool.query("INSERT INTO flights VALUES (1, 0)");
  });
  afterAll(async () => {
    await pool?.end();
    await postgres?.[Symbol.asyncDispose]();
  });

  const gateBy = async (queries: CachedQueries<pg.PoolClient>): Promise<number> =>
    (await queries.query<{ gate: number }>("SELECT gate FROM flights WHERE id = $1", [1], TAGS))[0]!.gate;
  const setGate = (queries: CachedQueries<pg.PoolClient>, gate: number) =>
    queries.write(["flights"], (tx) => tx.query("UPDATE flights SET gate = $1 WHERE id = 1", [gate]));

  it("rows of pg come back as they are, and what has a class of its own is refused with its place", async () => {
    const queries = cachedQueries(two.a, pool, { name: randomName() });
    const text =
      "SELECT $1::timestamptz AS at, $2::bytea AS bytes, $3::int8 AS big, point(1, 2) AS place, ARRAY[1] AS list";
    const params = [new Date(5), Buffer.from("a"), 7n];
    const { rows } = await pool.query<Record<string, unknown>>(text, params);
    for (let time = 0; time < 2; time += 1) expect(await queries.query(text, params, { tags: [] })).toEqual(rows);
    expect(queries.cache.stats()).toMatchObject({ loads: 1 });
    await expect(queries.query("SELECT interval '1 day' AS span", [], { tags: [] })).rejects.toThrow(/\[0\]\.span/);
  });

  it("what is read before the commit, and stored before or after it, is not served once the write has resolved", async () => {
    const name = randomName();
    const queries = cachedQueries(two.a, pool, { name });
    let hasRead!: () => void;
    let letGo!: () => void;
    const read = new Promise<void>((resolve) => (hasRead = resolve));
    const committed = new Promise<void>((resolve) => (letGo = resolve));
    const late = {
      query: async (text: string, params?: unknown[]) => {
        const found = await pool.query(text, params);
        hasRead();
        await committed;
        return found;
      },
    };
    const slow = cachedQueries(two.b, late, { name });
    const other = "SELECT gate + 0 AS gate FROM flights WHERE id = $1";
    let old: Promise<unknown> | undefined;
    const committing = {
      query: late.query,
      transaction: async <T>(work: (tx: pg.PoolClient) => Promise<T>): Promise<T> => {
        const client = await pool.connect();
        await client.query("BEGIN");
        const value = await work(client);
        // Its own announcement has been made: these know of no later one.
        expect(await gateBy(queries)).toBe(0);
        old = slow.query(other, [1], TAGS);
        await read;
        await client.query("COMMIT");
        client.release();
        letGo();
        expect(await old).toEqual([{ gate: 0 }]);
        return value;
      },
    };
    await setGate(cachedQueries(two.b, committing, { name }), 7);
    expect(await gateBy(queries)).toBe(7);
    expect(await queries.query(other, [1], TAGS)).toEqual([{ gate: 7 }]);
  });

  it("no reader is behind a write that had resolved when it asked", async () => {
    const name = randomName();
    const [here, there] = [cachedQueries(two.a, pool, { name }), cachedQueries(two.b, pool, { name })];
    let written = 0;
    const behind: string[] = [];
    const reads = async (queries: CachedQueries<pg.PoolClient>): Promise<void> => {
      for (let least = 0; least < WRITES; least = written) {
        const gate = await gateBy(queries);
        if (gate < least) behind.push(`${gate} < ${least}`);
      }
    };
    const writes = async (): Promise<void> => {
      for (let gate = 1; gate <= WRITES; gate += 1) {
        await setGate(gate % 2 === 0 ? here : there, gate);
        written = gate;
      }
    };
    await Promise.all([reads(here), reads(there), reads(here), reads(there), writes()]);
    expect(behind).toEqual([]);
    expect([await gateBy(here), await gateBy(there)]).toEqual([WRITES, WRITES]);
  });

  it("a statement that failed makes the write fail, also where its error was caught", async () => {
    const queries = cachedQueries(two.a, pool, { name: randomName() });
    const written = queries.write(["flights"], async (tx) => {
      await tx.query("UPDATE flights SET gate = 5 WHERE id = 1");
      await tx.query("SELECT nothing").catch(() => undefined);
    });
    await expect(written).rejects.toMatchObject({ code: "CONFLICT", message: /rolled back/ });
    expect(await gateBy(queries)).toBe(0);
  });

  it("a connection that is lost fails its write only", async () => {
    const queries = cachedQueries(two.a, pool, { name: randomName() });
    const lost = queries.write(["flights"], async (tx) => {
      const { rows } = await tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await pool.query("SELECT pg_terminate_backend($1)", [rows[0]!.pid]);
      await tx.query("UPDATE flights SET gate = 5 WHERE id = 1");
    });
    await expect(lost).rejects.toThrow(/terminat|connection/i);
    await setGate(queries, 6);
    expect(await gateBy(queries)).toBe(6);
  });
});
