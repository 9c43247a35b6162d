/**
 * The whole way, on a real PostgreSQL: an order is saved, its e-mail's row relayed, its job run, its effect committed. A process is killed with
 * SIGKILL between each two steps, and others go on: in the end there is exactly one effect for each order that was committed, and none for others.
 *
 * Without a PostgreSQL on this machine it is skipped and says why; HOLDFAST_POSTGRES=fetch takes one from Debian's archive.
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endOf, Mortals } from "../support/mortal.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { type Standalone, startStandalone } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { connect } from "../../src/connect.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import { sqlInbox, sqlOutbox } from "../../src/queue/outbox/index.ts";

let postgres: Postgres | undefined;
try {
  postgres = await startPostgres();
} catch (error) {
  process.stderr.write(`outbox: skipped on PostgreSQL: ${error instanceof Error ? error.message : String(error)}\n`);
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

const emails = () => hf.queue<number>("emails");

it.each(["before its commit", "after its commit"])(
  "job.commit, with its process killed %s: one effect",
  async (point) => {
    await emails().add(1);
    await dies(start("committer", point));
    await using _worker = emails().work((job) => job.commit((tx) => tx.queue("INCR", job.key("sent"))), {
      lease: "1s",
      poll: "50ms",
    });
    await until("the job is over", async () => {
      const { waiting, active, delayed, dead } = await emails().counts();
      return waiting + active + delayed + dead === 0;
    });
    expect(String(await hf.command("GET", emails().key("sent")))).toBe("1");
  },
);

describe.skipIf(postgres === undefined)("SQL outbox and inbox on PostgreSQL, with kill -9", () => {
  const outbox = sqlOutbox();
  const inbox = sqlInbox();
  let pool: pg.Pool;

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: postgres!.url });
    await Promise.all([pool, pool].flatMap((client) => [outbox.migrate(client), inbox.migrate(client)]));
    await pool.query("CREATE TABLE orders (id int); CREATE TABLE sent (id int)");
  });
  beforeEach(() => pool.query("TRUNCATE orders, sent, holdfast_outbox, holdfast_inbox"));
  afterAll(() => pool?.end());

  async function order(from: number, to: number): Promise<void> {
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO orders SELECT generate_series($1::int, $2::int)", [from, to]);
    await outbox.addMany(
      client,
      emails(),
      Array.from({ length: to - from + 1 }, (_, at) => from + at),
    );
    await client.query("COMMIT");
    client.release();
  }

  /** What goes on after the deaths: a relay and a worker that live, until nothing is left to do. */
  async function finish(): Promise<void> {
    await using _relay = outbox.relay({ database: pool, queues: [emails()], poll: "20ms" });
    const work = async (id: string, payload: number): Promise<void> => {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        await inbox.once(client, emails(), { id }, () => client.query("INSERT INTO sent VALUES ($1)", [payload]));
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    };
    await using _worker = emails().work((job) => work(job.id, job.payload), { lease: "1s", poll: "50ms" });
    await until("nothing is left to do", async () => {
      const { waiting } = await outbox.info(pool);
      const counts = await emails().counts();
      return waiting + counts.waiting + counts.delayed + counts.active + counts.dead === 0;
    });
  }

  const effects = async (): Promise<{ readonly orders: number[]; readonly sent: number[] }> => {
    const idsOf = async (table: string): Promise<number[]> =>
      (await pool.query<{ id: number }>(`SELECT id FROM ${table} ORDER BY id`)).rows.map(({ id }) => id);
    return { orders: await idsOf("orders"), sent: await idsOf("sent") };
  };

  it.each([
    ["order", "after INSERT", []],
    ["order", "before COMMIT", []],
    ["order", "after COMMIT", [1]],
  ])("%s killed %s: orders and e-mails are %j", async (part, point, expected) => {
    await dies(start(part, point));
    await finish();
    expect(await effects()).toEqual({ orders: expected, sent: expected });
  });

  it.each([
    ["relay", "after SELECT", 0],
    ["relay", "before DELETE", 1],
    ["relay", "after DELETE", 1],
  ])("%s killed %s: the e-mail is sent once", async (part, point, waiting) => {
    await order(1, 1);
    await dies(start(part, point));
    expect(await emails().counts()).toMatchObject({ waiting });
    await finish();
    expect(await effects()).toEqual({ orders: [1], sent: [1] });
  });

  it.each(["after BEGIN", "after INSERT", "before COMMIT", "after COMMIT", "before the acknowledgement"])(
    "worker killed %s: the e-mail is sent once",
    async (point) => {
      await order(1, 1);
      const relay = start("relay");
      await dies(start("worker", point));
      relay.kill("SIGKILL");
      await dies(relay);
      await finish();
      expect(await effects()).toEqual({ orders: [1], sent: [1] });
    },
  );

  it(
    "relays and workers killed at any moment, several at once: each e-mail is sent once",
    { timeout: 120_000 },
    async () => {
      for (let round = 0; round < 2; round += 1) {
        const running = ["relay", "relay", "worker", "worker"].map((part) => start(part));
        await order(round * 100 + 1, (round + 1) * 100);
        const before = (await effects()).sent.length;
        await until("some of it is done", async () => (await effects()).sent.length > before + 10 * round);
        for (const child of running) child.kill("SIGKILL");
        await Promise.all(running.map(dies));
      }
      await finish();
      const { orders, sent } = await effects();
      expect(orders).toHaveLength(200);
      expect(sent).toEqual(orders);
    },
  );

  describe("messages of a topic", () => {
    const events = () => hf.topic<number>("events", { dedupeFor: "1d", partitions: 2 });

    async function published(): Promise<number[]> {
      await using relay = outbox.relay({ database: pool, topics: [events()], poll: "20ms" });
      await until("nothing is left to do", async () => (await outbox.info(pool)).waiting === 0);
      await relay.close();
      return (await events().page({ limit: 1_000 })).messages.map(({ payload }) => payload);
    }

    async function publish(from: number, to: number): Promise<void> {
      const client = await pool.connect();
      await client.query("BEGIN");
      await client.query("INSERT INTO orders SELECT generate_series($1::int, $2::int)", [from, to]);
      const all = Array.from({ length: to - from + 1 }, (_, at) => from + at);
      await outbox.publishMany(
        client,
        events(),
        all.map((message) => ({ message, key: `k${message % 5}` })),
      );
      await client.query("COMMIT");
      client.release();
    }

    it.each([
      ["after INSERT", []],
      ["before COMMIT", []],
      ["after COMMIT", [1]],
    ])("publisher killed %s: orders and messages are %j", async (point, expected) => {
      await dies(start("publisher", point));
      expect(await published()).toEqual(expected);
      expect((await effects()).orders).toEqual(expected);
    });

    it.each(["after SELECT", "before DELETE", "after DELETE"])("relay killed %s: published once", async (point) => {
      await publish(1, 3);
      await dies(start("topic relay", point));
      expect((await published()).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    });

    it("relays killed at any moment: each message once, those of a key in order", { timeout: 120_000 }, async () => {
      for (let round = 0; round < 3; round += 1) {
        const running = ["topic relay", "topic relay"].map((part) => start(part));
        await publish(round * 100 + 1, (round + 1) * 100);
        const before = (round * 100) / 2;
        await until("some of it is done", async () => (await events().page({ limit: 1_000 })).messages.length > before);
        for (const child of running) child.kill("SIGKILL");
        await Promise.all(running.map(dies));
      }
      const all = await published();
      expect(all).toHaveLength(300);
      for (let key = 0; key < 5; key += 1) {
        const own = (await events().page({ key: `k${key}`, limit: 1_000 })).messages.map(({ payload }) => payload);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
        expect(own).toHaveLength(60);
      }
    });
  });
});
