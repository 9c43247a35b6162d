/**
 * `npm run faults -- <suite> [--topology standalone|cluster|sentinel] [--scenario name] [--minutes n] [--seed n] [--verbose]`
 *
 * Prints a JSON line for each scenario on each topology, and exits with 1 where a promise was broken. `--minutes` is for each topology, its scenarios
 * share them. `--short` runs the first scenario of each for a few seconds; `--scale` counts to a million; `--subject name` puts
 * something else to the test that is known to be wrong. A seed repeats the sequence of faults, their targets and pauses; what the processes have
 * reached by then is theirs.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { coordinationSuite } from "./coordination/suite.ts";
import { queueSuite } from "./queue/suite.ts";
import { openCluster } from "./servers/cluster.ts";
import { openSentinel } from "./servers/sentinel.ts";
import { openStandalone } from "./servers/standalone.ts";
import type { Topology, TopologyName } from "./servers/topology.ts";
import type { Report, Suite } from "./suite.ts";
import { topicsSuite } from "./topics/suite.ts";

const SUITES: Readonly<Record<string, Suite>> = {
  queue: queueSuite,
  coordination: coordinationSuite,
  topics: topicsSuite,
};
const TOPOLOGIES: Readonly<Record<TopologyName, () => Promise<Topology>>> = {
  standalone: openStandalone,
  cluster: openCluster,
  sentinel: openSentinel,
};
const SHORT_SECONDS = 4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    topology: { type: "string", default: Object.keys(TOPOLOGIES).join(",") },
    scenario: { type: "string" },
    minutes: { type: "string", default: "2" },
    seed: { type: "string" },
    subject: { type: "string" },
    short: { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

// Children and servers end with this process, however it ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

const beganAt = performance.now();
const log = (line: string): void => {
  if (values.verbose) process.stderr.write(`${((performance.now() - beganAt) / 1_000).toFixed(1)} ${line}\n`);
};
const seed = numberOf("seed", values.seed) ?? randomInt(2 ** 31);
const minutes = numberOf("minutes", values.minutes)!;
let isOk = true;

const [suiteName = "", ...rest] = positionals;
const suite = SUITES[suiteName];
if (suite === undefined || rest.length > 0)
  fail(`say which suite to run: ${Object.keys(SUITES).join(", ")} (got "${positionals.join(" ")}")`);
const topologies = values.topology.split(",").map((name) => {
  if (!Object.hasOwn(TOPOLOGIES, name)) fail(`--topology: "${name}" is none of ${Object.keys(TOPOLOGIES).join(", ")}`);
  return name as TopologyName;
});

if (values.scale) {
  if (suite.scale === undefined) fail(`${suiteName} has no --scale`);
  print("standalone", await suite.scale(log));
} else {
  for (const name of topologies) await runTopology(suite, name);
}
process.exit(isOk ? 0 : 1);

async function runTopology(suite: Suite, name: TopologyName): Promise<void> {
  const all = suite.scenarios[name].filter((each) => values.scenario === undefined || each.name === values.scenario);
  const scenarios = values.short ? all.slice(0, 1) : all;
  const seconds = values.short ? SHORT_SECONDS : (minutes * 60) / scenarios.length;
  await using topology = await TOPOLOGIES[name]();
  for (const scenario of scenarios) {
    log(`${name}: ${scenario.name}`);
    const { subject } = values;
    print(name, await scenario.run({ topology, seed, seconds, subject, log }));
  }
}

function print(topology: TopologyName, report: Report): void {
  isOk &&= report.ok;
  process.stdout.write(`${JSON.stringify({ suite: suiteName, topology, seed, ...report })}\n`);
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0) fail(`--${name} must be a number (got "${text}")`);
  return number;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
