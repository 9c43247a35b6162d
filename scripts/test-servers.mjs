#!/usr/bin/env node
/**
 * Runs the library's tests on servers other than this machine's, and prints the table that docs/install.md shows.
 *
 *     npm run test:servers                            # all tests on the newer Valkey and Redis of Debian unstable
 *     npm run test:servers -- --quick                 # each primitive's own tests, standalone and in a cluster
 *     npm run test:servers -- --server valkey         # on one of the two
 *     npm run test:servers -- --refresh               # fetches both again: the suite has newer ones from time to time
 *     npm run test:servers -- packages/holdfast/src/lock
 *     HOLDFAST_SERVER=/opt/redis/redis-server npm run test:servers      # on a program of your own instead
 *
 * HOLDFAST_BACKENDS chooses topologies as for `npm test`. Where the servers cannot be had, this says why and exits with 0.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { NotAvailableError } from "./debian.mjs";
import { identify } from "./ensure-server.mjs";
import { ensureNewerServers } from "./servers/newer-servers.mjs";

const ROOT = path.resolve(import.meta.dirname, "..");
const CACHE = path.join(ROOT, ".cache", "servers");
const LIBRARY = "packages/holdfast";
const TOPOLOGIES = ["standalone", "cluster", "sentinel", "tls"];
const COUNTS = /^(?:(\w+) +)?(\d+) passed, (\d+) failed, (\d+) skipped$/;

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof NotAvailableError)) throw error;
  console.log(`skipped: no other server to test with: ${error.message}`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      refresh: { type: "boolean", default: false },
      server: { type: "string" },
    },
  });
  const files = positionals.length > 0 ? positionals : values.quick ? contracts() : [LIBRARY];
  const topologies = process.env.HOLDFAST_BACKENDS || (values.quick ? TOPOLOGIES.slice(0, 2) : TOPOLOGIES).join();
  const rows = [];
  for (const server of servers(values)) {
    console.log(`\n== ${server.name} ${server.version}`);
    rows.push({ server, ...(await runTests(server, topologies, files)) });
  }
  console.log(`\n${table(rows)}`);
  return rows.every(({ code }) => code === 0) ? 0 : 1;
}

function servers({ refresh, server }) {
  const own = process.env.HOLDFAST_SERVER;
  const paths = own ? [own] : newerServers(server, refresh);
  return paths.map((file) => {
    const [found] = identify(file);
    if (found === undefined) throw new Error(`${file} is not a Redis or Valkey server that runs here`);
    return found;
  });
}

function newerServers(wanted, refresh) {
  const all = Object.entries(ensureNewerServers(CACHE, { refresh }));
  const chosen = all.filter(([name]) => wanted === undefined || name.startsWith(wanted));
  if (chosen.length === 0) throw new Error(`--server wants valkey or redis, not ${wanted}`);
  return chosen.map(([, file]) => file);
}

/** The tests of what each primitive promises: `cache/cache.test.ts`, `lock/locks.test.ts`. */
function contracts() {
  const folders = readdirSync(path.join(ROOT, LIBRARY, "src"));
  return folders
    .flatMap((noun) => [`${noun}.test.ts`, `${noun}s.test.ts`].map((file) => `${LIBRARY}/src/${noun}/${file}`))
    .filter((file) => existsSync(path.join(ROOT, file)));
}

/** Passes on what vitest says, and reads the counts that the backend reporter ends with. */
async function runTests({ path: file }, topologies, files) {
  const run = spawn("npx", ["vitest", "run", ...files], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, HOLDFAST_SERVER: path.resolve(file), HOLDFAST_BACKENDS: topologies },
  });
  const code = new Promise((resolve) => run.on("close", (status) => resolve(status ?? 1)));
  const ran = [];
  let total;
  for await (const line of createInterface({ input: run.stdout })) {
    console.log(line);
    const [whole, topology, passed, failed, skipped] = COUNTS.exec(line) ?? [];
    if (whole === undefined) continue;
    if (topology === undefined) total = { passed, failed, skipped };
    else if (TOPOLOGIES.includes(topology) && passed !== "0") ran.push(topology);
  }
  return { code: await code, topologies: ran, total };
}

function table(rows) {
  const lines = rows.map(({ server, topologies, total }) => {
    const { passed, failed, skipped } = total ?? { passed: "-", failed: "did not run", skipped: "-" };
    const name = server.name.startsWith("valkey") ? "Valkey" : "Redis";
    return [name, server.version, topologies.join(", "), passed, failed, skipped];
  });
  const head = ["server", "version", "topologies", "passed", "failed", "skipped"];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
