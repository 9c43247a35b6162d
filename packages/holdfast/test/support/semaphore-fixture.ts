/** What tests of semaphores look at besides the public API. */
import type { Holdfast } from "../../src/holdfast.ts";
import type { HeldPermits } from "../../src/semaphore/held-permits.ts";
import type { SemaphoreOptions } from "../../src/semaphore/options.ts";
import { until } from "./until.ts";

/** So many permits, which must be free now. */
export async function takenPermits(
  of: Holdfast,
  name: string,
  options: SemaphoreOptions,
  permits = 1,
): Promise<HeldPermits> {
  const result = await of.semaphore(name, options).tryAcquire({ permits });
  if (result.status === "busy") throw new Error(`${name} is busy`);
  return result.permit;
}

/** Resolves when so many requests wait. */
export async function permitWaiters(of: Holdfast, name: string, count: number): Promise<void> {
  const semaphore = of.semaphore(name, { permits: 1 });
  await until(`${count} waiters`, async () => (await semaphore.info()).waiters === count);
}
