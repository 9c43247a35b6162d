// - each screen is a statement of the database ....... "one statement for all screens"
// - a screen shows an old gate after the change ...... "shows a new gate in every process"
// - a date becomes a text ............................ the same
// - a database that is away leaves the screens dark .. "shows the last rows"
import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Database, DepartureBoard, migrate } from "./query-cache.ts";

describe.each(backends("standalone", "embedded"))("cookbook: query cache [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let other: Holdfast;
  let pglite: PGlite;
  let statements = 0;
  let isAway = false;
  const db: Database = {
    query: async (text, params) => {
      statements += 1;
      if (isAway) throw new Error("the database is away");
      return pglite.query(text, params);
    },
    transaction: (work) => pglite.transaction(work),
  };
  const leaves = new Date("2026-11-27T12:00:00Z");

  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    hf = await connect(url, { ...options, prefix });
    other = await connect(url, { ...options, prefix });
    pglite = await PGlite.create();
    await migrate(db);
  });
  afterAll(async () => {
    await Promise.all([hf.close(), other.close()]);
    await pglite.close();
  });
  beforeEach(async () => {
    isAway = false;
    await pglite.query("DELETE FROM departures");
    await pglite.query("INSERT INTO departures VALUES ('LH1', 'FRA', 'A1', $1), ('BA2', 'LHR', 'B2', $1)", [leaves]);
    const board = new DepartureBoard(hf, db);
    await board.queries.invalidate({ tags: ["departures"] });
    statements = 0;
  });

  it("one statement for all screens of all processes", async () => {
    const boards = [new DepartureBoard(hf, db), new DepartureBoard(other, db)];
    const shown = await Promise.all(Array.from({ length: 100 }, (_, at) => boards[at % 2]!.next("FRA", 5)));
    for (const rows of shown) expect(rows).toEqual([{ flight: "LH1", gate: "A1", leaves }]);
    expect(statements).toBe(1);
  });

  it("shows a new gate in every process once it has committed", async () => {
    const [here, there] = [new DepartureBoard(hf, db), new DepartureBoard(other, db)];
    await Promise.all([here.next("FRA", 5), there.next("FRA", 5)]);
    expect(await here.changeGate("LH1", "C3")).toBe(true);
    expect(await there.next("FRA", 5)).toEqual([{ flight: "LH1", gate: "C3", leaves }]);
    expect(await here.changeGate("XX9", "C3")).toBe(false);
  });

  it("shows the last rows while the database is away", async () => {
    const board = new DepartureBoard(hf, db);
    const rows = await board.next("FRA", 5);
    const key = "SELECT flight, gate, leaves FROM departures WHERE airport = $1 ORDER BY leaves LIMIT $2";
    await board.queries.cache.expire(board.queries.key(key, ["FRA", 5]));
    isAway = true;
    expect(await board.next("FRA", 5)).toEqual(rows);
    expect(statements).toBe(2);
  });
});
