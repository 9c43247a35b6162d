/**
 * What could go wrong with messages of topics, and the test for each (the death of processes: test/exactly-once/kill.test.ts):
 * - a message is published though its transaction was rolled back, or not though it was committed ... "publishes each row that was committed"
 * - a row that is sent again is published twice ................................................ "a row that is sent again"
 * - the topic forgets ids before the relay does ................................................ "refuses"
 * - messages of a key overtake each other, also where the topic takes none for a while .......... "in the order", "does not overtake"
 * - a row that no topic takes holds up all behind it ........................................... "is put aside"
 * - so does a batch of rows of a topic that is full ............................................ "a full topic does not hold up"
 * - the row says in plain what the topic encrypts .............................................. "as the topic keeps it"
 * - a queue and a topic of one name take each other's rows ..................................... "of one name"
 * - a table of an older version has no column for topics ....................................... "an older table"
 */
import { randomBytes, randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { type OutboxRelayOptions, type SqlClient, sqlOutbox } from "./index.ts";

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

describe.each(backends("standalone", "cluster", "embedded"))("SQL outbox of topics [$name]", ({ url, options }) => {
  let hf: Holdfast;
  const outbox = sqlOutbox({ table: "topic_outbox" });
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
    await outbox.migrate(db);
  });
  beforeEach(async () => {
    await db.query("DELETE FROM topic_outbox");
  });
  afterAll(() => hf.close());

  const topicOf = <T>(more: object = {}) => hf.topic<T>(randomUUID(), { dedupeFor: "1d", ...more });
  const transaction = <R>(work: (tx: SqlClient) => Promise<R>): Promise<R> => db.transaction(work);
  const relaying = (terms: Omit<OutboxRelayOptions, "database">) =>
    outbox.relay({ database: db, poll: "10ms", ...terms });
  const published = async <T>(topic: ReturnType<typeof topicOf<T>>) => (await topic.page({ limit: 1_000 })).messages;

  it("publishes each row that was committed, with key, headers and id, and none that was rolled back", async () => {
    const orders = topicOf<{ total: number }>({ partitions: 4 });
    const added = await transaction(async (tx) => [
      await outbox.publish(tx, orders, { total: 1 }, { key: "ada", headers: { of: "shop" } }),
      await outbox.publish(tx, orders, { total: 2 }, { id: "order-2" }),
      ...(await outbox.publishMany(tx, orders, [{ message: { total: 3 }, key: "ada" }, { message: { total: 4 } }])),
    ]);
    expect(added[1]).toEqual({ status: "ok", id: "order-2" });
    const failed = transaction(async (tx) => {
      await outbox.publish(tx, orders, { total: 5 });
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await published(orders)).toEqual([]);
    await using relay = relaying({ topics: [orders] });
    await until("all are sent", async () => relay.stats().sent === 4);
    const messages = await published(orders);
    expect(messages.map(({ payload }) => payload.total).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(added.map(({ id }) => id)));
    expect((await orders.page({ key: "ada" })).messages).toMatchObject([
      { payload: { total: 1 }, headers: { of: "shop" } },
      { payload: { total: 3 }, headers: {} },
    ]);
    expect(await outbox.info(db)).toMatchObject({ waiting: 0, failed: 0 });
  });

  it("a row that is sent again, by a relay that died before its COMMIT, is published once", async () => {
    const orders = topicOf<number>({ partitions: 3 });
    await transaction((tx) => outbox.publishMany(tx, orders, [{ message: 1, key: "a" }, { message: 2 }]));
    const { rows } = await db.query("SELECT id, queue, topic, payload, options FROM topic_outbox ORDER BY seq");
    await using relay = relaying({ topics: [orders] });
    await until("they are sent", () => relay.stats().sent === 2);
    for (const row of rows as Record<string, unknown>[])
      await db.query(
        "INSERT INTO topic_outbox (id, queue, topic, payload, options) VALUES ($1, $2, $3, $4, $5)",
        ["id", "queue", "topic", "payload", "options"].map((name) => row[name]),
      );
    await until("they are known", () => relay.stats().duplicates === 2);
    expect(await published(orders)).toHaveLength(2);
  });

  it("publishes in the order of the rows, over several batches, and beside jobs", async () => {
    const [events, jobs] = [topicOf<number>(), hf.queue<number>(randomUUID())];
    await transaction(async (tx) => {
      for (let at = 0; at < 30; at += 1) {
        await outbox.publish(tx, events, at, { key: "k" });
        if (at % 10 === 0) await outbox.add(tx, jobs, at);
      }
    });
    await using relay = relaying({ topics: [events], queues: [jobs], batch: 7 });
    await until("all are sent", () => relay.stats().sent === 33);
    expect((await published(events)).map(({ payload }) => payload)).toEqual(Array.from({ length: 30 }, (_, at) => at));
    expect(await jobs.counts()).toMatchObject({ waiting: 3 });
  });

  it("a message does not overtake one of its partition that a full topic has refused", async () => {
    const events = topicOf<string>({ maxMessages: 10, onFull: "refuse" });
    const seen: string[] = [];
    await using reader = events.subscribe("all", ({ payload }) => void seen.push(payload), { start: "start" });
    await reader.ready();
    await reader.pause();
    // Too large for one script: they go one by one.
    const all = Array.from({ length: 15 }, (_, at) => `${at}${"x".repeat(20_000)}`);
    await transaction((tx) =>
      outbox.publishMany(
        tx,
        events,
        all.map((message) => ({ message, key: "k" })),
      ),
    );
    const errors: unknown[] = [];
    await using relay = relaying({ topics: [events], onError: (error) => void errors.push(error) });
    await until("it is full", () => errors.length > 0);
    expect(String(errors[0])).toContain("takes no message now: it is full");
    reader.resume();
    await until("all are published", () => relay.stats().sent === 15);
    await until("all are read", () => seen.length === 15);
    expect(seen).toEqual(all);
  });

  it("a full topic does not hold up others, however many of its rows are in front", async () => {
    const [full, other] = [topicOf<number>({ maxMessages: 1, onFull: "refuse" }), topicOf<number>()];
    const jobs = hf.queue<number>(randomUUID());
    await using reader = full.subscribe("all", () => undefined, { start: "start" });
    await reader.ready();
    await reader.pause();
    const numbers = Array.from({ length: 9 }, (_, at) => at);
    await transaction(async (tx) => {
      await outbox.publishMany(
        tx,
        full,
        numbers.map((message) => ({ message })),
      );
      await outbox.publishMany(
        tx,
        other,
        numbers.map((message) => ({ message })),
      );
      await outbox.addMany(tx, jobs, numbers);
    });
    const terms = { topics: [full, other], queues: [jobs], batch: 4, onError: () => undefined };
    await using relay = relaying(terms);
    await until("those behind are sent", () => relay.stats().sent === 19);
    expect((await published(other)).map(({ payload }) => payload)).toEqual(numbers);
    expect(await outbox.info(db)).toMatchObject({ waiting: 8, failed: 0 });
    reader.resume();
    await until("all are sent", () => relay.stats().sent === 27);
  });

  it("a row that no topic takes is put aside and reported, those behind it are published", async () => {
    const name = randomUUID();
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
      },
    };
    const strings = hf.topic<string>(name, { dedupeFor: "1d" });
    const numbers = hf.topic<number>(name, { dedupeFor: "1d", message: schema });
    await transaction(async (tx) => {
      await outbox.publish(tx, strings, "a secret");
      await outbox.publish(tx, numbers, 7);
      await tx.query("UPDATE topic_outbox SET options = 'none' WHERE id = (SELECT max(id) FROM topic_outbox)");
      await outbox.publish(tx, numbers, 8);
    });
    const errors: unknown[] = [];
    await using relay = relaying({ topics: [numbers], onError: (error) => void errors.push(error) });
    await until("all are over", () => relay.stats().sent + relay.stats().failed === 3);
    expect(relay.stats().failed).toBeGreaterThanOrEqual(1);
    expect(errors.map(String).join()).toMatch(/put aside: /);
    expect(errors.map(String).join()).not.toContain("secret");
    expect((await published(numbers)).map(({ payload }) => payload)).toContain(8);
  });

  it("keeps a message as the topic keeps it: encrypted, and with its Dates", async () => {
    const encrypt = { keys: { a: randomBytes(32) }, current: "a" };
    const events = topicOf<{ at: Date; who: string }>({ partitions: 5, serializer: "structured", encrypt });
    const payload = { at: new Date(), who: "Ada Lovelace" };
    await transaction((tx) => outbox.publish(tx, events, payload));
    const { rows } = await db.query<{ payload: Uint8Array }>("SELECT payload FROM topic_outbox");
    expect(Buffer.from(rows[0]!.payload).toString("latin1")).not.toContain("Ada");
    await using relay = relaying({ topics: [events] });
    await until("it is sent", () => relay.stats().sent === 1);
    expect((await published(events)).map((message) => message.payload)).toEqual([payload]);
  });

  it("a queue and a topic of one name do not take each other's rows; other relays' rows are left", async () => {
    const name = randomUUID();
    const [jobs, events] = [hf.queue<number>(name), hf.topic<number>(name, { dedupeFor: "1d" })];
    await transaction(async (tx) => {
      await outbox.add(tx, jobs, 1);
      await outbox.publish(tx, events, 2);
    });
    {
      await using relay = relaying({ queues: [jobs] });
      await until("the job is sent", () => relay.stats().sent === 1);
      expect(await outbox.info(db)).toMatchObject({ waiting: 1 });
    }
    await using relay = relaying({ topics: [events] });
    await until("the message is sent", () => relay.stats().sent === 1);
    expect((await published(events)).map(({ payload }) => payload)).toEqual([2]);
    expect(await jobs.counts()).toMatchObject({ waiting: 1 });
  });

  it("an older table gets its column, and its rows are sent", async () => {
    const old = sqlOutbox({ table: "old_outbox" });
    const columns =
      "seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL, queue text NOT NULL, payload bytea NOT NULL, " +
      "options text NOT NULL, added_at timestamptz NOT NULL DEFAULT now(), failed_at timestamptz, error text";
    await db.exec(`DROP TABLE IF EXISTS old_outbox; CREATE TABLE old_outbox (${columns})`);
    const jobs = hf.queue<number>(randomUUID());
    await transaction((tx) => old.add(tx, jobs, 1));
    await Promise.all([old.migrate(db), old.migrate(db)]);
    await using relay = old.relay({ database: db, queues: [jobs], poll: "10ms" });
    await until("it is sent", () => relay.stats().sent === 1);
    expect(await jobs.counts()).toMatchObject({ waiting: 1 });
  });

  it("refuses what would break its promise, at the door", async () => {
    const [events, forgetful] = [topicOf<number>(), hf.topic<number>(randomUUID())];
    await expect(outbox.publish(db, events, 1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "tx" });
    const refusals: [object, string][] = [
      [{ delay: "1s" }, "delay"],
      [{ key: "" }, "key"],
      [{ priority: "high" }, "priority"],
      [{ headers: { a: 1 } }, "headers"],
    ];
    await transaction(async (tx) => {
      for (const [given, field] of refusals)
        await expect(outbox.publish(tx, events, 1, given)).rejects.toMatchObject({ field });
      await expect(outbox.publish(tx, events, Number.NaN)).rejects.toMatchObject({ code: "CODEC" });
      await expect(outbox.publish(tx, hf.queue(randomUUID()) as never, 1)).rejects.toMatchObject({ field: "topic" });
      await expect(outbox.publishMany(tx, events, 1 as never)).rejects.toMatchObject({ field: "items" });
    });
    expect(() => relaying({ topics: [forgetful] })).toThrow(
      /topics: expected topics whose dedupeFor is at least remember/,
    );
    await relaying({ topics: [forgetful], remember: "10m" }).close();
    expect(() => relaying({ topics: [hf.queue(randomUUID())] as never })).toThrow(/topics/);
    expect(() => relaying({})).toThrow(/queues/);
    const latest = hf.topic<number>(randomUUID(), { latest: true, dedupeFor: "1d" });
    expect(() => relaying({ topics: [latest] as never })).toThrow(/one without `latest`/);
    expect(await outbox.info(db)).toMatchObject({ waiting: 0 });
  });
});
