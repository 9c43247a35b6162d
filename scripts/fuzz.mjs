#!/usr/bin/env node
/**
 * Random scenarios on the embedded server and on a real one, compared byte for byte.
 *
 *     npm run fuzz                      # two minutes, from a new seed
 *     npm run fuzz -- --seconds 600
 *     npm run fuzz -- --seed 4711      # that scenario alone
 *     npm run fuzz -- --seed 4711 --scenarios 1000
 *     npm run fuzz -- --differences 10 # goes on until it has found ten
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
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
const { status } = spawnSync("npx", ["vitest", "run", "packages/embedded/src/scenarios.test.ts"], {
  stdio: "inherit",
  env: {
    ...process.env,
    HOLDFAST_FUZZ: JSON.stringify({ seed, scenarios, seconds, differences: numberOf("differences") }),
  },
});
process.exitCode = status ?? 1;
