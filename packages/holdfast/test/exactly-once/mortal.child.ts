/**
 * A process for kill.test.ts that does one part of the work and is killed, by SIGKILL, when it comes to the point that it was told.
 * Arguments: the part, the point or "", PostgreSQL's URL, Redis's URL, the prefix.
 */
import pg from "pg";
import { connect } from "../../src/connect.ts";
import { type SqlClient, type SqlPoolClient, sqlInbox, sqlOutbox } from "../../src/queue/outbox/index.ts";

const [part = "", point = "", database = "", server = "", prefix = ""] = process.argv.slice(2);

function reached(name: string): void {
  if (name === point) process.kill(process.pid, "SIGKILL");
}

const pool = new pg.Pool({ connectionString: database, max: 4 });
const hf = await connect(server, { prefix });
const outbox = sqlOutbox();
const inbox = sqlInbox();
const emails = hf.queue<number>("emails");
const events = hf.topic<number>("events", { dedupeFor: "1d", partitions: 2 });

/** A client of the pool whose steps are points. */
async function watched(): Promise<SqlPoolClient> {
  const client = await pool.connect();
  const query = async (text: string, params?: unknown[]) => {
    const word = text.split(" ")[0]!;
    reached(`before ${word}`);
    const answer = await client.query(text, params);
    reached(`after ${word}`);
    return answer;
  };
  return {
    query,
    release: (destroy) => client.release(destroy),
    on: (event, listener) => client.on(event as "error", listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
  };
}

async function transaction(work: (tx: SqlClient) => Promise<unknown>): Promise<void> {
  const client = await watched();
  await client.query("BEGIN");
  await work(client);
  await client.query("COMMIT");
  client.release();
}

if (part === "order") {
  await transaction(async (tx) => {
    await tx.query("INSERT INTO orders VALUES (1)");
    await outbox.add(tx, emails, 1);
  });
}
if (part === "relay") outbox.relay({ database: { connect: watched }, queues: [emails], poll: "20ms" });
if (part === "publisher") {
  await transaction(async (tx) => {
    await tx.query("INSERT INTO orders VALUES (1)");
    await outbox.publish(tx, events, 1, { key: "k1" });
  });
}
if (part === "topic relay") outbox.relay({ database: { connect: watched }, topics: [events], poll: "20ms", batch: 10 });
if (part === "worker") {
  emails.work(
    async (job) => {
      await transaction((tx) =>
        inbox.once(tx, emails, job, () => tx.query("INSERT INTO sent VALUES ($1)", [job.payload])),
      );
      reached("before the acknowledgement");
    },
    { lease: "1s", poll: "50ms" },
  );
}
if (part === "committer") {
  emails.work(
    async (job) => {
      reached("before its commit");
      await job.commit((tx) => tx.queue("INCR", emails.key("sent")));
      reached("after its commit");
    },
    { lease: "1s", poll: "50ms" },
  );
}
