/**
 * A process for kill.test.ts that writes to PostgreSQL through cached queries, and is killed, by SIGKILL, when it comes to the point that it was told.
 * Arguments: the point, PostgreSQL's URL, Redis's URL, the prefix.
 */
import pg from "pg";
import { cachedQueries } from "../../src/adapters/pg/index.ts";
import { connect } from "../../src/connect.ts";

const [point = "", database = "", server = "", prefix = ""] = process.argv.slice(2);

function reached(name: string): void {
  if (name === point) process.kill(process.pid, "SIGKILL");
}

const pool = new pg.Pool({ connectionString: database, max: 1 });
const dying = {
  query: (text: string, params?: unknown[]) => pool.query(text, params),
  async transaction<T>(work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    await client.query("BEGIN");
    const value = await work(client);
    reached("before COMMIT");
    await client.query("COMMIT");
    reached("after COMMIT");
    client.release();
    return value;
  },
};
const queries = cachedQueries(await connect(server, { prefix }), dying, { name: "flights" });
await queries.write(["flights"], (tx) => tx.query("UPDATE flights SET gate = gate + 1 WHERE id = 1"));
