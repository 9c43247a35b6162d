/**
 * Writing behind, and kill -9: of the process that has accepted a write, before the database has it; of the one that writes it, before it has begun,
 * before and after its COMMIT, and at any moment. In the end the database has the last accepted write of each entry, and has had them in their order.
 *
 * Without a PostgreSQL on this machine the latter are skipped and say why; HOLDFAST_POSTGRES=fetch takes one from Debian's archive.
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endOf, Mortals } from "../support/mortal.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { type Standalone, startStandalone } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { connect } from "../../src/connect.ts";
import type { Cache } from "../../src/index.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import { save, TABLES } from "./rows.ts";

let postgres: Postgres | undefined;
try {
  postgres = await startPostgres();
} catch (error) {
  process.stderr.write(
    `write-behind: skipped on PostgreSQL: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}

let mortals: Mortals;
let server: Standalone;
let hf: Holdfast;
let prefix: string;

beforeAll(async () => {
  server = await startStandalone();
  mortals = await Mortals.of(new URL("mortal.child.ts", import.meta.url));
});

beforeEach(async () => {
  await hf?.close();
  prefix = `test-${randomUUID()}`;
  hf = await connect(server.url, { prefix });
});

afterAll(async () => {
  await mortals?.[Symbol.asyncDispose]();
  await hf?.close();
  await server?.stop();
  await postgres?.[Symbol.asyncDispose]();
});

function start(part: string, point = ""): ChildProcess {
  return mortals.start(part, point, postgres?.url ?? "", server.url, prefix);
}

async function dies(child: ChildProcess): Promise<void> {
  expect(await endOf(child)).toBe("SIGKILL");
}

const QUICK = { mode: "behind", linger: 0, poll: "20ms", writeTimeout: "1s", claim: "1500ms" } as const;

/** What goes on after the deaths, until nothing is left to do. */
async function finish(write: Parameters<typeof hf.cache<number>>[1] & object): Promise<void> {
  const views: Cache<number> = hf.cache<number>("views", { ...write, timeout: "10s" });
  await until("the database has all", async () => (await views.writer.lag()).count === 0);
}

describe("the process that has accepted is killed, and another writes to PGlite", () => {
  it(
    "nothing accepted is lost, the last write of an entry counts, and readers never see an older row",
    { timeout: 120_000 },
    async () => {
      const db = await PGlite.create();
      for (const table of TABLES) await db.query(table);
      await save(db, [{ id: "a", value: 0, version: 0, attempt: 1 }]);
      await dies(start("accept", "accepted"));
      const accepting = hf.cache<number>("views", { writer: { mode: "behind" }, timeout: "10s" });
      await accepting.delete("a");
      expect(await accepting.getOrSet("a", () => 0)).toBe(2);
      await finish({ writer: { ...QUICK, write: (entries) => db.transaction((tx) => save(tx, entries)) } });
      const { rows } = await db.query("SELECT id, n FROM views ORDER BY id");
      expect(rows).toEqual([
        { id: "a", n: 2 },
        { id: "b", n: 3 },
      ]);
      await db.close();
    },
  );
});

describe.skipIf(postgres === undefined)("writing behind to PostgreSQL, with kill -9", () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: postgres!.url });
    for (const table of TABLES) await pool.query(table);
  });
  beforeEach(() => pool.query("TRUNCATE views, history"));
  afterAll(() => pool?.end());

  const rest = () => finish({ writer: { ...QUICK, write: (entries) => save(pool, entries) } });
  const rows = async () => (await pool.query<{ id: string; n: number }>("SELECT id, n FROM views ORDER BY id")).rows;
  const history = async () =>
    (await pool.query<{ id: string; n: number }>("SELECT id, n FROM history ORDER BY seq")).rows;

  it.each(["claimed", "before COMMIT", "after COMMIT"])(
    "the process that writes is killed when it has come to %s: another takes over",
    async (point) => {
      await dies(start("accept", "accepted"));
      await dies(start("write", point));
      await rest();
      expect(await rows()).toEqual([
        { id: "a", n: 2 },
        { id: "b", n: 3 },
      ]);
    },
  );

  it(
    "processes that accept and write are killed at any moment: nothing accepted is lost, each entry's writes arrive in their order",
    { timeout: 120_000 },
    async () => {
      const accepted = new Map<string, number>();
      for (let round = 0; round < 2; round += 1) {
        const running = ["x", "y", "z"].map((name) => start("both", `${name}${round}`));
        for (const child of running) child.on("message", ([id, n]: [string, number]) => accepted.set(id, n));
        const before = accepted.size;
        await until("all accept", () => accepted.size >= before + 15, 60_000);
        for (const child of running) child.kill("SIGKILL");
        await Promise.all(running.map(dies));
      }
      await rest();
      const inDatabase = new Map((await rows()).map(({ id, n }) => [id, n]));
      // One that was accepted and not reported any more may be there as well.
      const missing = [...accepted].filter(([id, n]) => (inDatabase.get(id) ?? 0) < n);
      expect(missing).toEqual([]);
      const last = new Map<string, number>();
      const turned = (await history()).filter(({ id, n }) => {
        const isOlder = n < (last.get(id) ?? 0);
        last.set(id, n);
        return isOlder;
      });
      expect(turned).toEqual([]);
    },
  );
});
