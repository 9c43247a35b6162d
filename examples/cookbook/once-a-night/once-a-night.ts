/**
 * A job once a night over ten processes, each of which has a timer of its own (crontab, a cloud's scheduler): all of them come, one
 * does it, the others go home. Where that one dies the next does it; where it fails, whoever comes again.
 * With a schedule of a queue (nightly-report) no timers are needed; this is for those that are there already.
 */
import type { Holdfast, Idempotency, IdempotencyRun } from "holdfast";

export function nights(hf: Holdfast, lease: "30s" | "1s" = "30s"): Idempotency<string> {
  return hf.idempotency<string>("nightly-clean-up", { ttl: "7d", lease });
}

/**
 * Returns what the night's job reported, whoever did it. `fence` goes along with what it changes: a process that was taken for
 * dead may come back.
 */
export async function onceTonight(
  all: Idempotency<string>,
  night: Date,
  cleanUp: (run: IdempotencyRun) => Promise<string>,
): Promise<{ readonly report: string; readonly byMe: boolean }> {
  const { value, replayed } = await all.run(night.toISOString().slice(0, 10), cleanUp, { wait: "1h" });
  return { report: value, byMe: !replayed };
}
