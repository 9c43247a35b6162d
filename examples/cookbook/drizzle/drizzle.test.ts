// - each process runs the select .................... "one select for all processes"
// - rows from before a transaction are served ....... the same
// - what Drizzle maps is not what comes back ........ the same
// - another parameter shares the rows ............... "another query"
// - Drizzle's own cache never hears of a change ..... "as Drizzle's own cache"
import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { eq, gt } from "drizzle-orm";
import { integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { cachedRows, DrizzleCache, drizzleQueries } from "./drizzle.ts";

const flights = pgTable("flights", {
  id: integer().primaryKey(),
  gate: text().notNull(),
  leaves: timestamp({ withTimezone: true }).notNull(),
});
const leaves = new Date("2026-11-27T12:00:00Z");

describe.each(backends("standalone", "embedded"))("cookbook: drizzle [$name]", ({ url, options }) => {
  let pglite: PGlite;
  const handles: Holdfast[] = [];

  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) handles.push(await connect(url, { ...options, prefix }));
    pglite = await PGlite.create();
    await pglite.query("CREATE TABLE flights (id int PRIMARY KEY, gate text NOT NULL, leaves timestamptz NOT NULL)");
  });
  afterAll(async () => {
    await Promise.all(handles.map((hf) => hf.close()));
    await pglite.close();
  });
  beforeEach(async () => {
    await pglite.query("DELETE FROM flights");
    await pglite.query("INSERT INTO flights VALUES (1, 'A1', $1), (2, 'B2', $1)", [leaves]);
  });

  it("one select for all processes, and new rows once a transaction has committed", async () => {
    const db = drizzle(pglite);
    const [here, there] = handles.map((hf) => drizzleQueries(hf, db)) as [Queries, Queries];
    const first = (queries: Queries) =>
      cachedRows(queries, db.select().from(flights).where(eq(flights.id, 1)), [flights]);
    expectTypeOf(first).returns.resolves.toEqualTypeOf<(typeof flights.$inferSelect)[]>();
    const found = [await first(here), await first(there)];
    expect(found).toEqual([[{ id: 1, gate: "A1", leaves }], [{ id: 1, gate: "A1", leaves }]]);
    expect(here.cache.stats().loads + there.cache.stats().loads).toBe(1);
    await there.write(["flights"], async (tx) => {
      await tx.update(flights).set({ gate: "C3" }).where(eq(flights.id, 1));
    });
    expect(await first(here)).toEqual([{ id: 1, gate: "C3", leaves }]);
  });

  it("another query has rows of its own", async () => {
    const db = drizzle(pglite);
    const queries = drizzleQueries(handles[0]!, db);
    const after = (id: number) => cachedRows(queries, db.select().from(flights).where(gt(flights.id, id)), [flights]);
    expect((await after(0)).map(({ id }) => id)).toEqual([1, 2]);
    expect((await after(1)).map(({ id }) => id)).toEqual([2]);
  });

  it("as Drizzle's own cache: selects that ask for it, until a statement changes their table", async () => {
    const db = drizzle(pglite, { cache: new DrizzleCache(handles[0]!) });
    const gates = async (): Promise<string[]> => {
      const rows = await db.select().from(flights).orderBy(flights.id).$withCache();
      for (const row of rows) expect(row.leaves).toEqual(leaves);
      return rows.map(({ gate }) => gate);
    };
    expect(await gates()).toEqual(["A1", "B2"]);
    await pglite.query("UPDATE flights SET gate = 'X' WHERE id = 1");
    expect(await gates()).toEqual(["A1", "B2"]);
    await db.update(flights).set({ gate: "C3" }).where(eq(flights.id, 1));
    expect(await gates()).toEqual(["C3", "B2"]);
    await pglite.query("UPDATE flights SET gate = 'D4' WHERE id = 1");
    await db.$cache.invalidate({ tables: flights });
    expect(await gates()).toEqual(["D4", "B2"]);
  });
});

type Queries = ReturnType<typeof drizzleQueries<Record<string, never>>>;
