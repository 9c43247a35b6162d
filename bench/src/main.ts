/** `npm run bench -- <suite> [--json] [--case text] [--rounds n] [--round-ms n]`; without a suite: all of them. */
import { parseArgs } from "node:util";
import { ensureServer } from "../../scripts/ensure-server.mjs";
import { cacheSuite } from "./cache.bench.ts";
import { driverSuite } from "./driver.bench.ts";
import { limitsSuite } from "./limits.bench.ts";
import { compare } from "./measure.ts";
import { printJson, printRow, printTitle } from "./report.ts";
import { scriptSuite } from "./script.bench.ts";
import { startServer } from "./server.ts";
import type { Suite } from "./suite.ts";

const SUITES: Readonly<Record<string, Suite>> = {
  driver: driverSuite,
  cache: cacheSuite,
  script: scriptSuite,
  limits: limitsSuite,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    case: { type: "string", default: "" },
    rounds: { type: "string", default: "7" },
    "round-ms": { type: "string", default: "600" },
  },
});

const wanted = positionals.length === 0 ? Object.keys(SUITES) : positionals;
const unknown = wanted.find((name) => SUITES[name] === undefined);
if (unknown !== undefined) throw new Error(`no suite "${unknown}"; there are ${Object.keys(SUITES).join(", ")}`);
const rounds = Number(values.rounds);
const roundMs = Number(values["round-ms"]);

const server = await startServer(ensureServer().path);
try {
  for (const name of wanted) await runSuite(name, SUITES[name]!);
} finally {
  await server.stop();
}

async function runSuite(name: string, suite: Suite): Promise<void> {
  const { cases, close } = await suite(server);
  if (!values.json) printTitle(name, server.version);
  for (const one of cases.filter((candidate) => candidate.name.includes(values.case))) {
    const result = await compare(one.ours, one.peer, { inFlight: one.inFlight, rounds, roundMs });
    if (values.json) printJson(name, one.name, result);
    else printRow(one.name, result);
  }
  await close();
}
