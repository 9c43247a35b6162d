/** What the launcher prints about a run. */
import type { CheckResult } from "../verify/check.ts";
import type { Outcome } from "./once.ts";

export function printOutcome({ results, summary }: Outcome, server: string): void {
  console.log(`\n${summary.flights} flights in ${summary.seconds} s (${summary.flightsPerSecond}/s) on ${server}`);
  if (summary.blows.length > 0) console.log(`meanwhile: ${summary.blows.join(", ")}; seed ${summary.seed}`);
  console.log(`\n${table(results)}\n`);
  for (const { name, examples } of results) for (const example of examples) console.log(`${name}: ${example}`);
  console.log(JSON.stringify(summary));
}

function table(results: readonly CheckResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const line = (name: string, compared: string, wrong: string): string =>
    `  ${name.padEnd(width)}  ${compared.padStart(9)}  ${wrong.padStart(6)}`;
  const rows = results.map(({ name, compared, wrong }) => line(name, String(compared), String(wrong)));
  return [line("check", "compared", "wrong"), ...rows].join("\n");
}
