/**
 * What the calls take. What could go wrong, and the test for each:
 * - other parameters, or of another type, share a result ............. "parameters of another type"
 * - tables are forgotten ............................................. "refuses"
 * - what is in the parameters is in a key or an error ................ "shows no parameter"
 * - a write is given a client without its type ....................... "the database's own type"
 */
import type { PGlite } from "@electric-sql/pglite";
import type pg from "pg";
import { describe, expect, expectTypeOf, it } from "vitest";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import type { Holdfast } from "../../holdfast.ts";
import { type CachedQueries, cachedQueries, type QueryDatabase } from "./index.ts";

type Tx = Parameters<Parameters<PGlite["transaction"]>[0]>[0];

const GATE = "SELECT id, gate FROM flights WHERE id = $1";
const TAGS = { tags: ["flights"] };
/** A database that is away. */
const away: QueryDatabase<Tx> = {
  query: () => Promise.reject(new Error("no database")),
  transaction: () => Promise.reject(new Error("no database")),
};

describe("calls of cached queries", () => {
  const two = new TwoHandles({ url: "embedded://", options: {} });
  const made = (): CachedQueries<Tx> => cachedQueries(two.a, away, { name: randomName() });

  it("parameters of another type, and another text, are another query", async () => {
    const queries = made();
    const lists = [
      [1],
      ["1"],
      [1n],
      [null],
      [],
      [[1]],
      [["1"]],
      [new Date(1)],
      [Buffer.from("1")],
      [true],
      ["x".repeat(9_000)],
      [{ a: 1 }],
    ];
    const keys = lists.map((params) => queries.key("SELECT $1", params));
    expect(new Set(keys).size).toBe(lists.length);
    expect(queries.key("SELECT  $1", [1])).not.toBe(keys[0]);
    expect(queries.key("SELECT $1", [1])).toBe(keys[0]);
    expect(queries.key("SELECT $1", [new Uint8Array([0x31])])).toBe(queries.key("SELECT $1", [Buffer.from("1")]));
    for (const key of keys) expect(key.length).toBeLessThan(60);
  });

  it("refuses what it does not understand, and a query whose tables nobody has said", async () => {
    const queries = made();
    const where = `queries "${queries.name}"`;
    await expect(queries.query(GATE, [1], {} as never)).rejects.toThrow(`${where}: tags: expected the tables`);
    await expect(queries.query(GATE, [1], undefined as never)).rejects.toThrow(`${where}: tags: expected the tables`);
    await expect(queries.query(GATE, [1], { tag: ["a"] } as never)).rejects.toThrow('did you mean "tags"?');
    await expect(queries.query("", [1], TAGS)).rejects.toThrow(`${where}: text: expected an SQL statement`);
    await expect(queries.query(GATE, 1 as never, TAGS)).rejects.toThrow(`${where}: params: expected an array`);
    await expect(queries.query(GATE, [() => 1], TAGS)).rejects.toThrow(`${where}: params[0]: expected a value`);
    await expect(queries.write([], async () => 1)).rejects.toThrow(`${where}: tables: expected at least one table`);
    await expect(queries.write("flights", async () => 1)).rejects.toThrow(`${where}: tables: expected a list`);
    await expect(queries.write(["flights"], 1 as never)).rejects.toThrow(`${where}: work: expected a function`);
    await expect(queries.getOrSet(undefined, () => 1, TAGS)).rejects.toThrow(`${where}: key: expected plain data`);
    expect(() => cachedQueries(two.a, {} as never)).toThrow(InvalidArgumentError);
    expect(() => cachedQueries(two.a, away, { writer: () => undefined } as never)).toThrow("writer: expected");
    const client = { query: async () => ({ rows: [] }), connect: async () => undefined, escapeLiteral: () => "" };
    const alone = cachedQueries(two.a, client as never as pg.Client);
    await expect(alone.write(["flights"], async () => 1)).rejects.toThrow(/write needs a pool/);
  });

  it("shows no parameter in keys and errors", async () => {
    const queries = made();
    const failed: unknown = await queries
      .query("SELECT $1::text, nothing", ["s3cret"], { tags: [] })
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Error);
    expect(failed).not.toBeInstanceOf(HoldfastError);
    expect(queries.key("SELECT $1", ["s3cret"])).toMatch(/^sha256:[\w-]{43}$/);
  });
});

// eslint-disable-next-line vitest/expect-expect -- the compiler is asked
it("the function of a write is given the database's own type of client", () => {
  const ofPool = (hf: Holdfast, pool: pg.Pool) => cachedQueries(hf, pool);
  const ofClient = (hf: Holdfast, client: pg.Client) => cachedQueries(hf, client);
  const ofPGlite = (hf: Holdfast, database: PGlite) => cachedQueries(hf, database);
  expectTypeOf(ofPool).returns.toEqualTypeOf<CachedQueries<pg.PoolClient>>();
  expectTypeOf(ofPGlite).returns.toEqualTypeOf<CachedQueries<Tx>>();
  expectTypeOf(ofClient).returns.toHaveProperty("query");
});
