/** What tests of read-write locks look at besides the public API. */
import type { Holdfast } from "../../src/holdfast.ts";
import { until } from "./until.ts";

/** Resolves when so many requests wait. */
export async function waitingAt(
  of: Holdfast,
  name: string,
  { readers, writers }: { readers: number; writers: number },
): Promise<void> {
  await until(`${readers} readers and ${writers} writers that wait`, async () => {
    const { waiting } = await of.rwlock(name).info();
    return waiting.readers === readers && waiting.writers === writers;
  });
}
