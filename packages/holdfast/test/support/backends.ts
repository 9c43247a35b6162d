/**
 * The servers that a contract suite runs on, shared by all test files of a run:
 *
 *     describe.each(backends())("cache [$name]", ({ url, options }) => { ... });
 *
 * They keep their data from file to file: use a random prefix, and a fixture of your own (servers.ts) for a test
 * that kills, pauses or fails over. The name in brackets is what the counts at the end of the run go by.
 */
import { inject } from "vitest";
import type { Backend, BackendName } from "./shared-servers.ts";

export type { Backend, BackendName };

// A test file's list of suites must be known while it is collected, so they are waited for here.
const shared: readonly Backend[] = await ask(inject("backendBroker"));

/** All that HOLDFAST_BACKENDS lets start (`HOLDFAST_BACKENDS=standalone,cluster`), or those of `names` among them. */
export function backends(...names: BackendName[]): Backend[] {
  return shared.filter(({ name }) => names.length === 0 || names.includes(name));
}

async function ask(broker: string): Promise<Backend[]> {
  const response = await fetch(broker);
  const body = await response.text();
  if (!response.ok) throw new Error(`the servers for the tests did not start: ${body}`);
  return JSON.parse(body) as Backend[];
}
