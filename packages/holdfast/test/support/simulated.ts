/** What the workers of simulations have in common. */
import { HoldfastError, isOutage } from "../../src/errors.ts";
import type { SimulatedClient } from "../../src/testing/index.ts";

/** How many schedules each property runs through, where HOLDFAST_SCHEDULES names no other number. */
const SCHEDULES = 300;
const PAUSE_MS = 50;

/** For a longer search: `HOLDFAST_SCHEDULES=20000 npx vitest run simulation`; to replay one seed: `HOLDFAST_SEED=n`. */
export function schedules(): { readonly schedules: number; readonly seed?: number } {
  const seed = process.env["HOLDFAST_SEED"];
  if (seed !== undefined) return { schedules: 1, seed: Number(seed) };
  return { schedules: Number(process.env["HOLDFAST_SCHEDULES"] ?? SCHEDULES) };
}

/** The outcome; undefined where the server did not do its part. What is no outage is thrown. */
export async function unlessOutage<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isOutage(error) || (error instanceof HoldfastError && error.code === "TIMEOUT")) return undefined;
    throw error;
  }
}

/** Asks until the server has said that it is done. */
export async function untilTold<T extends object | number | boolean>(
  client: SimulatedClient,
  ask: () => Promise<T>,
): Promise<T> {
  for (;;) {
    const answer = await unlessOutage(ask);
    if (answer !== undefined) return answer;
    await client.sleep(PAUSE_MS);
  }
}
