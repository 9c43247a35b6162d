/**
 * A process for kill.test.ts that accepts writes, or writes them to PostgreSQL, and is killed, by SIGKILL, when it comes to the point that it was told.
 * Arguments: the part, the point or "", PostgreSQL's URL, Redis's URL, the prefix.
 */
import pg from "pg";
import { connect } from "../../src/connect.ts";
import { save } from "./rows.ts";

const [part = "", point = "", database = "", server = "", prefix = ""] = process.argv.slice(2);

function reached(name: string): void {
  if (name === point) process.kill(process.pid, "SIGKILL");
}

const hf = await connect(server, { prefix });

if (part === "accept") {
  const views = hf.cache<number>("views", { writer: { mode: "behind" } });
  await views.write("a", 1);
  await views.write("a", 2);
  await views.write("b", 3);
  reached("accepted");
}
if (part === "write" || part === "both") {
  const pool = new pg.Pool({ connectionString: database, max: 2 });
  const views = hf.cache<number>("views", {
    writer: {
      mode: "behind",
      linger: "5ms",
      poll: "20ms",
      writeTimeout: "1s",
      claim: "1500ms",
      write: async (entries) => {
        reached("claimed");
        const client = await pool.connect();
        try {
          await client.query("BEGIN");
          await save(client, entries);
          reached("before COMMIT");
          await client.query("COMMIT");
        } finally {
          client.release();
        }
        reached("after COMMIT");
      },
    },
  });
  // What this one reports was accepted.
  const last = part === "both" ? 1_000_000 : 0;
  for (let n = 1; n <= last; n += 1) {
    const id = `${point}:${n % 5}`;
    await views.write(id, n);
    process.send!([id, n]);
  }
}
