/** What the workers of simulations have in common. */
import { HoldfastError, isOutage } from "../../src/base/errors.ts";
import type { FaultOptions, SimulatedClient } from "../../src/testing/index.ts";

/**
 * How many schedules each property runs through; always the same ones, so that a change is to blame for a failure.
 * The same ones find nothing new by being many: that is for searches among new ones, below.
 */
const SCHEDULES = 12;
const FIRST_SEED = 1;
const PAUSE_MS = 50;

/** Nothing goes wrong but what the test does. */
export const CALM: FaultOptions = {
  lostAnswers: false,
  lostRequests: false,
  slowDeliveries: false,
  partitions: false,
  clientPauses: false,
  serverPauses: false,
  restarts: false,
};

/** A search among new ones: `HOLDFAST_SCHEDULES=20000 npx vitest run simulation`; to replay one: `HOLDFAST_SEED=n`. */
export function schedules(fixed: number = SCHEDULES): { readonly schedules: number; readonly seed?: number } {
  const { HOLDFAST_SEED: seed, HOLDFAST_SCHEDULES: count } = process.env;
  if (seed !== undefined) return { schedules: 1, seed: Number(seed) };
  return count === undefined ? { schedules: fixed, seed: FIRST_SEED } : { schedules: Number(count) };
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
