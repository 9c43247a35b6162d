#!/usr/bin/env node
/**
 * Random scenarios on the embedded server and on a real one, compared byte for byte.
 *
 *     npm run fuzz                      # two minutes, from a new seed
 *     npm run fuzz -- --seconds 600
 *     npm run fuzz -- --seed 4711      # that scenario alone
 *     npm run fuzz -- --seed 4711 --scenarios 1000
 *     npm run fuzz -- --seed 4711 --seconds 600
 *     npm run fuzz -- --differences 10 # goes on until it has found ten
 *
 * The last line says how many scenarios and commands it were, and from which seed on.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string" },
    scenarios: { type: "string" },
    differences: { type: "string" },
  },
});

function numberOf(name) {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} wants a whole number`);
  return Number(text);
}

const seed = numberOf("seed") ?? randomInt(2 ** 31);
const alone = values.seed !== undefined && values.seconds === undefined;
const scenarios = numberOf("scenarios") ?? (alone ? 1 : undefined);
const seconds = numberOf("seconds") ?? (scenarios === undefined ? 120 : undefined);

console.log(`fuzzing from seed ${seed}`);
const run = spawn("npx", ["vitest", "run", "packages/embedded/src/scenarios.test.ts"], {
  stdio: ["inherit", "pipe", "inherit"],
  env: {
    ...process.env,
    HOLDFAST_FUZZ: JSON.stringify({ seed, scenarios, seconds, differences: numberOf("differences") }),
  },
});
const code = new Promise((resolve) => run.on("close", (status) => resolve(status ?? 1)));
// Vitest's own report comes after what the test said.
let summary = "the run ended before its time";
for await (const line of createInterface({ input: run.stdout })) {
  console.log(line);
  summary = /seed \d+: \d+ scenarios, .*/.exec(line)?.[0] ?? summary;
}
console.log(summary);
process.exitCode = await code;
