// - views are lost, or the database has fewer than were counted ... "writes all views of several processes"
// - each view is a statement of the database ....................... the same
// - an entry that expires is loaded from a row that is behind ...... "shows no fewer views"
import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type Database, migrate, viewCounter } from "./view-counter.ts";

describe.each(backends("standalone", "embedded"))("cookbook: view counter [$name]", ({ url, options }) => {
  let db: PGlite;
  let statements = 0;
  const counted: Database = {
    query: (text, params) => {
      if (text.startsWith("INSERT")) statements += 1;
      return db.query(text, params);
    },
  };
  const handles: Holdfast[] = [];
  const process = async (prefix: string): Promise<Holdfast> => {
    const hf = await connect(url, { ...options, prefix, timeout: "30s" });
    handles.push(hf);
    return hf;
  };

  beforeAll(async () => {
    db = await PGlite.create();
    await migrate(db);
  });
  afterAll(async () => {
    await Promise.all(handles.map((hf) => hf.close()));
    await db.close();
  });

  const inDatabase = async (post: string): Promise<number> => {
    const { rows } = await db.query<{ n: number }>("SELECT n FROM views WHERE post = $1", [post]);
    return rows[0]?.n ?? 0;
  };

  it("writes all views of several processes, in few statements", async () => {
    const [prefix, post] = [`cook-${randomUUID()}`, randomUUID()];
    const counters = [viewCounter(await process(prefix), counted), viewCounter(await process(prefix), counted)];
    statements = 0;
    await Promise.all(Array.from({ length: 200 }, (_, at) => counters[at % 2]!.seen(post)));
    await until("the database has all", async () => (await inDatabase(post)) === 200);
    expect(statements).toBeLessThan(50);
  });

  it("shows no fewer views when an entry is gone before its row is written", async () => {
    const post = randomUUID();
    const counter = viewCounter(await process(`cook-${randomUUID()}`), counted);
    await counter.rows.writer.pause();
    await counter.seen(post);
    await counter.seen(post);
    await counter.rows.delete(post);
    expect(await counter.views(post)).toBe(2);
    await counter.rows.writer.resume();
    await counter.rows.writer.drain();
    expect(await inDatabase(post)).toBe(2);
    await counter.rows.delete(post);
    expect(await counter.views(post)).toBe(2);
  });
});
