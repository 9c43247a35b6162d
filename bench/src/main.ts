/** `npm run bench -- <suite> [--json] [--case text] [--rounds n] [--round-ms n]`; without a suite: all of them. */
import { parseArgs } from "node:util";
import { ensureServer } from "../../scripts/ensure-server.mjs";
import { compare } from "./measure.ts";
import { ContenderProcess } from "./process.ts";
import { printJson, printRow, printTitle } from "./report.ts";
import { startServer } from "./server.ts";
import { Skipped } from "./suite.ts";
import { SUITES, suiteOf } from "./suites.ts";

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
for (const name of wanted) suiteOf(name);
const rounds = Number(values.rounds);
const roundMs = Number(values["round-ms"]);

const server = await startServer(ensureServer().path);
try {
  for (const name of wanted) await runSuite(name);
} finally {
  await server.stop();
}

async function runSuite(name: string): Promise<void> {
  const cases = suiteOf(name).cases.filter((one) => one.name.includes(values.case));
  const running = new Map<string, ContenderProcess>();
  const processOf = async (contender: string): Promise<ContenderProcess> => {
    const started = running.get(contender) ?? (await ContenderProcess.start(name, contender, server));
    running.set(contender, started);
    return started;
  };
  if (!values.json) printTitle(name, server.version);
  try {
    for (const { name: what, inFlight, ours, peer } of cases) {
      try {
        const result = await compare(await processOf(ours), await processOf(peer), server, {
          inFlight,
          rounds,
          roundMs,
        });
        if (values.json) printJson(name, what, result);
        else printRow(what, result);
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        console.error(`skipped: ${what}: ${error.message}`);
      }
    }
  } finally {
    await Promise.all([...running.values()].map((contender) => contender.stop()));
  }
}
