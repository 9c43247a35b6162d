/**
 * Whole scenarios beside a real server: several connections, all families of commands, what each connection receives and
 * what the databases hold at the end. A few fixed seeds here; `npm run fuzz` tries new ones.
 */
import { expect, it } from "vitest";
import { fuzz, type FuzzOptions } from "./testing/scenarios/fuzz.ts";

const FIXED: FuzzOptions = { seed: 1, scenarios: 40 };
const chosen = process.env["HOLDFAST_FUZZ"];

it("scenarios run as on Redis", { timeout: 24 * 3600 * 1000 }, async () => {
  const options = chosen === undefined ? FIXED : (JSON.parse(chosen) as FuzzOptions);
  const { scenarios, commands, seconds, unrepeated, differences } = await fuzz(options);
  if (chosen !== undefined) {
    console.log(
      `seed ${options.seed}: ${scenarios} scenarios, ${commands} commands compared in ${seconds.toFixed(1)} s; did not repeat: ${unrepeated.join(", ") || "none"}`,
    );
  }
  expect(differences.join("\n\n")).toBe("");
  expect(scenarios).toBeGreaterThan(0);
});
