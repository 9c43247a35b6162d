/**
 * What could go wrong, and the test for each (the death of processes: test/exactly-once/kill.test.ts):
 * - a job is added though its transaction was rolled back, or not though it was committed ... "a job for each row that was committed"
 * - a row is sent again after its job is over, and runs again ............................... "a row that is sent again"
 * - an option is lost or refused on its way, such as a Date ................................ "keeps the options"
 * - a group is refused in a queue of several partitions .................................... "... to the partition of their group"
 * - rows overtake each other ................................................................ "in the order"
 * - a row that no queue takes holds up all behind it ........................................ "is put aside"
 * - the row says in plain what the queue encrypts, or loses a Date .......................... "as the queue stores it"
 * - somebody passes the pool, whose query commits by itself ................................. "refuses"
 * - rows of a queue that this relay does not know are lost .................................. "leaves rows of other queues"
 * - two runs of a job at once have two effects .............................................. "once"
 * - the inbox grows for ever ................................................................ "cleans"
 */
import { randomBytes, randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { type OutboxRelayOptions, type SqlClient, sqlInbox, sqlOutbox } from "./index.ts";

interface Email {
  readonly to: string;
}

// It takes a second or two to begin, so all backends share one.
let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

describe.each(backends("standalone", "cluster", "embedded"))("SQL outbox [$name]", ({ url, options }) => {
  let hf: Holdfast;
  const outbox = sqlOutbox({ table: "outbox", notify: true });
  const inbox = sqlInbox({ table: "inbox", keep: "1h" });

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
    await Promise.all([outbox.migrate(db), inbox.migrate(db)]);
    await Promise.all([outbox.migrate(db), inbox.migrate(db)]);
  });
  beforeEach(async () => {
    await db.query("DELETE FROM outbox");
  });
  afterAll(() => hf.close());

  const rows = async (): Promise<number> => (await outbox.info(db)).waiting;
  const transaction = (work: (tx: SqlClient) => Promise<unknown>) => db.transaction(work);
  const relaying = (terms: Omit<OutboxRelayOptions, "database">) =>
    outbox.relay({ database: db, poll: "10ms", ...terms });

  it("makes a job for each row that was committed, and none for one that was rolled back", async () => {
    const emails = hf.queue<Email>(randomUUID());
    await using relay = relaying({ queues: [emails] });
    const added = await db.transaction(async (tx) => {
      const one = await outbox.add(tx, emails, { to: "ada" }, { priority: "high", result: true });
      await outbox.addMany(tx, emails, [{ to: "grace" }, { to: "alan" }], { at: new Date(Date.now() + 3_600_000) });
      expect(await emails.counts()).toMatchObject({ waiting: 0 });
      return one;
    });
    const failed = transaction(async (tx) => {
      await outbox.add(tx, emails, { to: "nobody" });
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    await until("all are sent", async () => (await rows()) === 0);
    expect(await emails.counts()).toMatchObject({ waiting: 1, delayed: 2 });
    expect(await emails.get(added.id)).toMatchObject({ payload: { to: "ada" } });
    expect(relay.stats()).toEqual({ sent: 3, duplicates: 0, failed: 0 });
    await using _worker = emails.work((job) => job.payload.to);
    expect(await emails.result(added.id)).toEqual({ status: "ok", value: "ada" });
  });

  it("keeps the options of a row, times included", async () => {
    const emails = hf.queue<Email>(randomUUID());
    const [at, expires] = [new Date(Date.now() + 3_600_000), new Date(Date.now() + 7_200_000)];
    const [one, two] = await db.transaction(async (tx) => [
      await outbox.add(tx, emails, { to: "ada" }, { at, expires, tags: ["a"], group: "g" }),
      await outbox.add(tx, emails, { to: "ada" }, { delay: "1h", expires: "2h" }),
    ]);
    await using relay = relaying({ queues: [emails] });
    await until("all are sent", async () => (await rows()) === 0);
    expect(relay.stats()).toMatchObject({ sent: 2, failed: 0 });
    const shown = { dueAt: at.getTime(), expiresAt: expires.getTime(), tags: ["a"], group: "g" };
    expect(await emails.get(one.id)).toMatchObject(shown);
    const { addedAt, expiresAt } = (await emails.get(two.id))!;
    expect(expiresAt! - addedAt).toBe(7_200_000);
  });

  it("rows come to the partition of their group, where a repetition finds them", async () => {
    const emails = hf.queue<Email>(randomUUID(), { partitions: 4 });
    const groups = ["a", "b", "c", "d", "e", "f"];
    const added = await db.transaction((tx) =>
      Promise.all(groups.map((group) => outbox.add(tx, emails, { to: group }, { group }))),
    );
    const { rows: before } = await db.query("SELECT id, queue, payload, options FROM outbox");
    {
      await using relay = relaying({ queues: [emails] });
      await until("all are sent", () => relay.stats().sent === groups.length);
    }
    for (const [at, { id }] of added.entries()) expect(await emails.get(id)).toMatchObject({ group: groups[at] });
    await emails.groups.pause("a");
    await using _worker = emails.work(() => undefined);
    await until("all but one ran", async () => (await emails.counts()).waiting === 1);
    for (const row of before as Record<string, unknown>[])
      await db.query("INSERT INTO outbox (id, queue, payload, options) VALUES ($1, $2, $3, $4)", [
        row["id"],
        row["queue"],
        row["payload"],
        row["options"],
      ]);
    await using relay = relaying({ queues: [emails] });
    await until("all are known", () => relay.stats().duplicates === groups.length);
    expect(await emails.counts()).toMatchObject({ waiting: 1, dead: 0 });
  });

  it("a row that is sent again after its job is over does not run again", async () => {
    const emails = hf.queue<Email>(randomUUID());
    const ran: string[] = [];
    await using _worker = emails.work((job) => void ran.push(job.id));
    await transaction((tx) => outbox.add(tx, emails, { to: "ada" }));
    const { rows: before } = await db.query("SELECT id, queue, payload, options FROM outbox");
    const { id, queue, payload, options: own } = before[0] as Record<string, unknown>;
    await using relay = relaying({ queues: [emails] });
    await until("it ran", async () => ran.length === 1 && (await emails.get(String(id))) === undefined);
    // As a relay leaves it that dies before its COMMIT.
    const again = "INSERT INTO outbox (id, queue, payload, options) VALUES ($1, $2, $3, $4)";
    await db.query(again, [id, queue, payload, own]);
    await until("it was sent again", () => relay.stats().duplicates === 1);
    await until("and deleted", async () => (await rows()) === 0);
    await transaction((tx) => outbox.add(tx, emails, { to: "grace" }));
    await until("the next one ran", () => ran.length >= 2);
    expect(ran.filter((each) => each === id)).toHaveLength(1);
  });

  it("sends rows in the order in which they were added, over several batches", async () => {
    const numbers = hf.queue<number>(randomUUID());
    const all = Array.from({ length: 45 }, (_, at) => at);
    await transaction((tx) => outbox.addMany(tx, numbers, all));
    await using _relay = relaying({ queues: [numbers], batch: 10 });
    const ran: number[] = [];
    await using _worker = numbers.work((job) => void ran.push(job.payload), { concurrency: 1 });
    await until("all ran", () => ran.length === 45);
    expect(ran).toEqual(all);
  });

  it("a row that no queue takes is put aside and reported, those behind it are sent; it can be tried again", async () => {
    const name = randomUUID();
    const strings = hf.queue<string>(name);
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
      },
    };
    const numbers = hf.queue<number>(name, { payload: schema });
    await transaction((tx) => outbox.add(tx, strings, "a secret"));
    await transaction((tx) => outbox.add(tx, numbers, 7));
    const errors: unknown[] = [];
    {
      await using relay = relaying({ queues: [numbers], onError: (error) => void errors.push(error) });
      await until("both are over", () => relay.stats().sent === 1 && relay.stats().failed === 1);
    }
    expect(errors.map(String).join()).toMatch(/put aside: .*does not match the schema/);
    expect(errors.map(String).join()).not.toContain("secret");
    expect(await outbox.info(db)).toMatchObject({ waiting: 0, failed: 1, oldestMs: 0 });
    expect(await outbox.redrive(db)).toBe(1);
    expect(await outbox.info(db)).toMatchObject({ waiting: 1, failed: 0 });
    await using relay = relaying({ queues: [strings] });
    await until("it is sent", () => relay.stats().sent === 1);
  });

  it("keeps a payload as the queue stores it: encrypted, and with its Dates", async () => {
    const key = randomBytes(32);
    const events = hf.queue<{ at: Date; who: string }>(randomUUID(), {
      serializer: "structured",
      encrypt: { keys: { a: key }, current: "a" },
    });
    const payload = { at: new Date(), who: "Ada Lovelace" };
    const { id } = await db.transaction((tx) => outbox.add(tx, events, payload));
    const { rows: stored } = await db.query<{ payload: Uint8Array }>("SELECT payload FROM outbox");
    expect(Buffer.from(stored[0]!.payload).toString("latin1")).not.toContain("Ada");
    await using relay = relaying({ queues: [events] });
    await until("it is sent", () => relay.stats().sent === 1);
    expect((await events.get(id))?.payload).toEqual(payload);
  });

  it("leaves rows of other queues to other relays", async () => {
    const [mine, theirs] = [hf.queue<number>(randomUUID()), hf.queue<number>(randomUUID())];
    await transaction((tx) => outbox.add(tx, theirs, 1));
    await transaction((tx) => outbox.add(tx, mine, 2));
    await using relay = relaying({ queues: [mine] });
    await until("mine is sent", () => relay.stats().sent === 1);
    expect(await rows()).toBe(1);
  });

  it("is woken by a NOTIFY where it listens", async () => {
    const numbers = hf.queue<number>(randomUUID());
    await using relay = relaying({ queues: [numbers], poll: "1h", listen: true });
    for (let at = 1; at <= 3; at += 1) {
      await transaction((tx) => outbox.add(tx, numbers, at));
      await until("it is sent", () => relay.stats().sent === at);
    }
    expect(await rows()).toBe(0);
  });

  it("refuses what would break its promise, at the door", async () => {
    const numbers = hf.queue<number>(randomUUID());
    await expect(outbox.add(db, numbers, 1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "tx" });
    await expect(inbox.once(db, numbers, { id: "1" }, () => 1)).rejects.toMatchObject({ field: "tx" });
    await transaction(async (tx) => {
      await expect(outbox.add(tx, numbers, 1, { unique: "x" } as object)).rejects.toMatchObject({ field: "unique" });
      await expect(outbox.add(tx, numbers, 1, { delay: "soon" } as object)).rejects.toThrow(/^outbox "outbox": delay/);
      await expect(outbox.add(tx, numbers, Number.NaN)).rejects.toMatchObject({ code: "CODEC" });
    });
    expect(() => sqlOutbox({ table: 'x"; DROP TABLE y' })).toThrow(/table/);
    expect(() => outbox.relay({ database: db, queues: [] })).toThrow(/queues/);
    const client = { query: () => undefined, connect: () => undefined, escapeLiteral: () => "" };
    for (const database of [{}, client] as never[])
      expect(() => outbox.relay({ database, queues: [numbers] })).toThrow(/database/);
    expect(() => outbox.relay({ database: db, queues: [numbers], batch: 500 })).toThrow(/batch/);
    expect(await rows()).toBe(0);
  });

  it("ends when the handle of its queues is closed", async () => {
    const own = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
    const numbers = own.queue<number>(randomUUID());
    await transaction((tx) => outbox.add(tx, numbers, 1));
    await own.close();
    const errors: unknown[] = [];
    const relay = relaying({ queues: [numbers], onError: (error) => void errors.push(error) });
    await until("it has ended", () => errors.length > 0);
    await relay.close();
    expect(errors).toMatchObject([{ code: "CLOSED" }]);
    expect(await rows()).toBe(1);
  });

  it("once: the effect of the first run that commits, and of no other", async () => {
    const queue = { name: randomUUID() };
    await db.exec("CREATE TABLE IF NOT EXISTS effects (job text)");
    const run = (id: string, fail: boolean, key?: string) =>
      db.transaction((tx) =>
        inbox.once(
          tx,
          queue,
          { id },
          async () => {
            await tx.query("INSERT INTO effects VALUES ($1)", [id]);
            if (fail) throw new Error("the run failed");
            return "done";
          },
          key === undefined ? {} : { key },
        ),
      );
    await expect(run("a", true)).rejects.toThrow("the run failed");
    expect(await run("a", false)).toEqual({ status: "ok", value: "done" });
    expect(await run("a", false)).toEqual({ status: "duplicate" });
    expect(await run("a", false, "a:2")).toEqual({ status: "ok", value: "done" });
    expect(await db.transaction((tx) => inbox.once(tx, { name: "other" }, { id: "a" }, () => 1))).toMatchObject({
      status: "ok",
    });
    expect((await db.query("SELECT job FROM effects")).rows).toEqual([{ job: "a" }, { job: "a" }]);
    await db.exec("DROP TABLE effects; DELETE FROM inbox");
  });

  it("cleans rows older than `keep`, however many", async () => {
    const old = "INSERT INTO inbox SELECT 'q', 'old' || n, now() - interval '2 hours' FROM generate_series(1, 2500) n";
    await db.exec(`${old}; INSERT INTO inbox VALUES ('q', 'young')`);
    expect(await inbox.clean(db)).toBe(2500);
    expect((await db.query("SELECT job FROM inbox")).rows).toEqual([{ job: "young" }]);
    await db.exec("DELETE FROM inbox");
  });
});
