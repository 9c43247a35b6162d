/**
 * Cached queries, and kill -9 of the process that writes:
 * - after its COMMIT, before the invalidation: all who have cached the old rows serve them on .... "after COMMIT"
 * - before its COMMIT: what was not written is served, or readers wait for it ..................... "before COMMIT"
 *
 * Without a PostgreSQL on this machine they are skipped and say why; HOLDFAST_POSTGRES=fetch takes one from Debian's archive.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cachedQueries } from "../../src/adapters/pg/index.ts";
import { connect } from "../../src/connect.ts";
import { endOf, Mortals } from "../support/mortal.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { type Standalone, startStandalone } from "../support/servers.ts";

let postgres: Postgres | undefined;
try {
  postgres = await startPostgres();
} catch (error) {
  process.stderr.write(
    `query cache: skipped on PostgreSQL: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}

describe.skipIf(postgres === undefined)("cached queries, and kill -9 of the process that writes", () => {
  let mortals: Mortals;
  let server: Standalone;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startStandalone();
    mortals = await Mortals.of(new URL("mortal.child.ts", import.meta.url));
    pool = new pg.Pool({ connectionString: postgres!.url });
    await pool.query("CREATE TABLE flights (id int PRIMARY KEY, gate int NOT NULL)");
  });
  afterAll(async () => {
    await mortals?.[Symbol.asyncDispose]();
    await pool?.end();
    await server?.stop();
    await postgres?.[Symbol.asyncDispose]();
  });

  it.each([
    ["before COMMIT", 0],
    ["after COMMIT", 1],
  ])("%s: others are served what the database has", async (point, gate) => {
    const prefix = `test-${randomUUID()}`;
    await pool.query("DELETE FROM flights");
    await pool.query("INSERT INTO flights VALUES (1, 0)");
    await using hf = await connect(server.url, { prefix, timeout: "30s" });
    const queries = cachedQueries(hf, pool, { name: "flights", ttl: "1h", timeout: "30s" });
    const read = () => queries.query("SELECT gate FROM flights WHERE id = 1", [], { tags: ["flights"] });
    for (let time = 0; time < 2; time += 1) expect(await read()).toEqual([{ gate: 0 }]);
    expect(queries.cache.stats()).toMatchObject({ loads: 1, hits: 1 });
    expect(await endOf(mortals.start(point, postgres!.url, server.url, prefix))).toBe("SIGKILL");
    expect(await read()).toEqual([{ gate }]);
    // It is cached again, and the next write invalidates it as ever.
    expect([await read(), queries.cache.stats().loads]).toEqual([[{ gate }], 2]);
    await queries.write(["flights"], (tx) => tx.query("UPDATE flights SET gate = 9 WHERE id = 1"));
    expect(await read()).toEqual([{ gate: 9 }]);
  });
});
