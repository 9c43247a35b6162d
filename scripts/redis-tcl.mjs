#!/usr/bin/env node
/**
 * Runs Redis's own test suite (7.0.15, written in Tcl) against the embedded server, unit by unit, and compares the
 * number of passed tests with the committed scoreboard. Fewer than committed: exit code 1.
 *
 *     npm run tcl          all units in scope
 *     npm run tcl:quick    a subset of under a minute
 *
 *     node scripts/redis-tcl.mjs [--quick | --unit name]... [--update]
 *
 * `--update` writes packages/embedded/tcl-scoreboard.json again for the units of this run. It needs a real redis-server
 * 7.0 beside the embedded one: a test counts as missing when the real server passes it and the embedded one does not.
 * The tests are fetched once into `.cache/`; where that cannot be done, this says so and exits with 0.
 * The embedded server is the built one: `npm run build` comes first.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { NotAvailableError } from "./debian.mjs";
import { findServer } from "./ensure-server.mjs";
import { runUnit } from "./tcl/run-unit.mjs";
import { missingTests } from "./tcl/missing.mjs";
import { startEmbedded, startReal } from "./tcl/servers.mjs";
import { ensureSuite } from "./tcl/suite.mjs";
import { QUICK, SKIPPED, UNITS } from "./tcl/units.mjs";

const ROOT = path.resolve(import.meta.dirname, "..");
const CACHE = path.join(ROOT, ".cache", "redis-tcl");
const SCOREBOARD = path.join(ROOT, "packages", "embedded", "tcl-scoreboard.json");

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof NotAvailableError)) throw error;
  console.log(`skipped: ${error.message}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      unit: { type: "string", multiple: true, default: [] },
      update: { type: "boolean", default: false },
    },
  });
  const names = unitsOf(values);
  mkdirSync(CACHE, { recursive: true });
  const suite = ensureSuite(CACHE);
  const scoreboard = existsSync(SCOREBOARD) ? JSON.parse(readFileSync(SCOREBOARD, "utf8")) : {};
  return values.update ? update(suite, names, scoreboard) : compare(suite, names, scoreboard);
}

function unitsOf({ quick, unit }) {
  const unknown = unit.find((name) => !(name in UNITS));
  if (unknown !== undefined) throw new Error(`unknown unit ${unknown}; there are: ${Object.keys(UNITS).join(", ")}`);
  if (unit.length > 0) return unit;
  return quick ? QUICK : Object.keys(UNITS);
}

/** @returns {Promise<number>} the exit code: 1 when a unit passes fewer tests than committed */
async function compare(suite, names, scoreboard) {
  const behind = [];
  for (const name of names) {
    const committed = scoreboard[name]?.ok ?? 0;
    let run = await runEmbedded(suite, name);
    // A few tests measure real time and fail on a busy machine; a fault fails twice.
    if (run.ok.length < committed) run = best(run, await runEmbedded(suite, name));
    printRow(name, run.ok.length, committed, scoreboard[name]?.real);
    if (run.ok.length < committed) behind.push({ name, run });
    else if (run.ok.length > committed) console.log("  more than committed: run with --update");
  }
  for (const { name, run } of behind) printFailures(name, run, scoreboard[name].missing);
  return behind.length > 0 ? 1 : 0;
}

async function update(suite, names, scoreboard) {
  const real = findServer();
  if (real?.name !== "redis-server" || !real.version.startsWith("7.0.")) {
    throw new Error("--update compares with a real redis-server 7.0; name it in HOLDFAST_SERVER or put it on PATH");
  }
  for (const name of names) {
    const reference = await realPasses(suite, name, real.path);
    const run = await runEmbedded(suite, name);
    printRow(name, run.ok.length, scoreboard[name]?.ok, reference.length);
    const missing = missingTests(reference, run, SKIPPED[name] ?? []);
    scoreboard[name] = { ok: run.ok.length, real: reference.length, missing };
    // After each unit: a run that is stopped keeps what it has measured.
    writeFileSync(SCOREBOARD, `${JSON.stringify(inOrder(scoreboard), null, 2)}\n`);
  }
  return 0;
}

async function runEmbedded(suite, name) {
  const skip = (SKIPPED[name] ?? []).map(({ test }) => test);
  return onServer(await startEmbedded(), { suite, unit: UNITS[name], skip });
}

/** Names of the tests that the real server passes. Asked once: neither its version nor the tests change. */
async function realPasses(suite, name, program) {
  const file = path.join(CACHE, `real-${name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const { ok, stoppedBy } = await onServer(await startReal(program), { suite, unit: UNITS[name] });
  if (stoppedBy !== undefined) throw new Error(`the real server did not finish ${name}: ${stoppedBy}`);
  writeFileSync(file, JSON.stringify(ok));
  return ok;
}

async function onServer(server, run) {
  try {
    return await runUnit({ ...run, port: server.port });
  } finally {
    await server.stop();
  }
}

function best(one, other) {
  return other.ok.length > one.ok.length ? other : one;
}

function inOrder(scoreboard) {
  return Object.fromEntries(
    Object.keys(UNITS).flatMap((name) => (name in scoreboard ? [[name, scoreboard[name]]] : [])),
  );
}

function printRow(name, ok, committed, real) {
  const mark = committed !== undefined && ok < committed ? "  BEHIND" : "";
  const cells = [`${ok} ok`, `${committed ?? "-"} committed`, `${real ?? "-"} real`].map((cell) => cell.padStart(16));
  console.log(`${name.padEnd(16)}${cells.join("")}${mark}`);
}

/** The failures that the scoreboard does not list already. */
function printFailures(name, run, missing) {
  const known = new Set(missing.map(({ test }) => test));
  console.log(`\n${name}:`);
  if (run.stoppedBy !== undefined) console.log(`  stopped: ${run.stoppedBy}`);
  for (const { test, message } of run.failed) if (!known.has(test)) console.log(`  ${test}: ${message}`);
}
