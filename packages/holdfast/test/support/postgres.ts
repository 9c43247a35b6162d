/** A PostgreSQL server alone, in a folder of its own. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { ensurePostgres } from "../../../../scripts/servers/postgres.mjs";
import { freePort } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

const CACHE = fileURLToPath(new URL("../../../../.cache/servers", import.meta.url));
/** It refuses to run as root. */
const NOBODY = 65_534;

export interface Postgres extends AsyncDisposable {
  readonly url: string;
}

/** @throws Error whose message says why there is none on this machine */
export async function startPostgres(): Promise<Postgres> {
  const { bin, libraries } = ensurePostgres(CACHE);
  const sandbox = new Sandbox("postgres");
  try {
    const port = await freePort();
    const data = join(sandbox.dir, "data");
    mkdirSync(data, { mode: 0o700 });
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      chmodSync(sandbox.dir, 0o711);
      chownSync(data, NOBODY, NOBODY);
    }
    const as = isRoot ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
    const under = [...as, "env", `LD_LIBRARY_PATH=${libraries ?? ""}`, "TZ=UTC"];
    const making = ["-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"];
    const made = run([...under, join(bin, "initdb"), ...making]);
    if (made !== undefined) throw new Error(`initdb failed: ${made}`);
    const settings = { fsync: "off", listen_addresses: "127.0.0.1", unix_socket_directories: "", port: String(port) };
    const given = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const logFile = join(sandbox.dir, "log");
    const log = openSync(logFile, "a");
    const [program, ...args] = [...under, join(bin, "postgres"), "-D", data, ...given];
    sandbox.spawn(program!, args, log);
    closeSync(log);
    const url = `postgres://test@127.0.0.1:${port}/postgres`;
    await until(`PostgreSQL answers (${readFileSync(logFile, "utf8").slice(-500)})`, () => answers(url));
    return { url, [Symbol.asyncDispose]: () => sandbox.close() };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** The last thing that it said, if it failed. */
function run([program, ...args]: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(program!, args, { encoding: "utf8" });
  return status === 0 ? undefined : stderr?.trim().split("\n").at(-1) || String(error?.message ?? status);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    return true;
  } finally {
    await client.end();
  }
}
