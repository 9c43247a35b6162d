/**
 * `npm run bench -- <suite> [--json] [--case text] [--rounds n] [--round-ms n]`; without a suite: all of them.
 * Of the queue and of topics: `[--jobs n] [--quick]`; of the queue also `--scale [--jobs n]`: a million jobs, without peers.
 */
import { parseArgs } from "node:util";
import { ensureServer } from "../../scripts/ensure-server.mjs";
import { compare } from "./measure.ts";
import { ContenderProcess } from "./process.ts";
import {
  printJson,
  printMeasuredJson,
  printMeasuredRow,
  printMeasuredTitle,
  printRow,
  printScaleRow,
  printTitle,
} from "./report.ts";
import { measureScale } from "./queue/scale.ts";
import { startServer } from "./server.ts";
import { type MeasuredSuite, Skipped, type Suite } from "./suite.ts";
import { SUITES, suiteOf } from "./suites.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    case: { type: "string", default: "" },
    rounds: { type: "string" },
    "round-ms": { type: "string", default: "600" },
    jobs: { type: "string" },
    quick: { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
  },
});

const wanted = positionals.length === 0 ? Object.keys(SUITES) : positionals;
for (const name of wanted) suiteOf(name);
const rounds = numberOf(values.rounds) ?? 7;
const roundMs = Number(values["round-ms"]);

const server = await startServer(ensureServer().path);
try {
  if (values.scale) {
    await measureScale(server, {
      jobs: numberOf(values.jobs) ?? 1_000_000,
      text: values.case,
      emit: (row) => {
        if (values.json) console.log(JSON.stringify({ suite: "queue --scale", ...row }));
        else printScaleRow(row);
      },
    });
  } else await runSuites();
} finally {
  await server.stop();
}

async function runSuites(): Promise<void> {
  for (const name of wanted) {
    const suite = suiteOf(name);
    await ("measure" in suite ? runMeasured(name, suite) : runSuite(name, suite));
  }
}

async function runMeasured(name: string, suite: MeasuredSuite): Promise<void> {
  if (!values.json) printMeasuredTitle(name, server.version);
  const options = {
    rounds: numberOf(values.rounds),
    jobs: numberOf(values.jobs),
    isQuick: values.quick,
    text: values.case,
  };
  for await (const row of suite.measure(server, options)) {
    if (values.json) printMeasuredJson(name, row);
    else printMeasuredRow(row);
  }
}

async function runSuite(name: string, suite: Suite): Promise<void> {
  const cases = suite.cases.filter((one) => one.name.includes(values.case));
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

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
