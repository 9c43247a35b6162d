/**
 * The servers that a contract suite runs on, shared by all test files of a run:
 *
 *     describe.each(backends())("cache [$name]", ({ url, options }) => { ... });
 *
 * They keep their data from file to file: use a random prefix, and a fixture of your own (servers.ts) for a test
 * that kills, pauses or fails over. The name in brackets is what the counts at the end of the run go by.
 */
import { expect, inject } from "vitest";
import { type Backend, type BackendName, usualBackends } from "./shared-servers.ts";

export type { Backend, BackendName };

// A test file's list of suites must be known while it is collected, so they are waited for here.
const shared: readonly Backend[] = await ask(inject("backendBroker"));

/**
 * Those that HOLDFAST_BACKENDS names (`standalone,cluster`, or `all`); without it, the usual ones of this file.
 * With `names`, those among them.
 */
export function backends(...names: BackendName[]): Backend[] {
  const wanted = names.length > 0 ? names : chosenOrUsual();
  return shared.filter(({ name }) => wanted.includes(name));
}

function chosenOrUsual(): readonly BackendName[] {
  const chosen = process.env["HOLDFAST_BACKENDS"] ?? "";
  return chosen === "" ? usualBackends(expect.getState().testPath ?? "") : shared.map(({ name }) => name);
}

async function ask(broker: string): Promise<Backend[]> {
  const response = await fetch(broker);
  const body = await response.text();
  if (!response.ok) throw new Error(`the servers for the tests did not start: ${body}`);
  return JSON.parse(body) as Backend[];
}
