/**
 * A load test whose generators begin at the same moment, in whichever machines they run: each prepares (which takes as long as it
 * takes), counts down, and waits for the others. One that does not get ready in time is named, and nobody begins.
 */
import type { Holdfast } from "holdfast";

export interface LoadTest {
  readonly id: string;
  readonly generators: readonly string[];
}

export async function startTogether(
  hf: Holdfast,
  { id, generators }: LoadTest,
  me: string,
  prepare: () => Promise<void>,
  timeout: "1m" | "1s" = "1m",
): Promise<void> {
  const ready = hf.latch(`load-test:${id}`, { count: generators.length, ttl: "10m" });
  await prepare();
  // By name: one that was started again counts once.
  await ready.countDown(me);
  await ready.wait({ timeout });
}
