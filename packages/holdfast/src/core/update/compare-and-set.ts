/**
 * Read, change, write if nobody wrote meanwhile; else again: what `update` of every primitive stands on.
 *
 * A write whose answer was lost is sent again, and says so. If the server recognises it, it has been done once. If the
 * repeat meets a conflict, that may be a conflict with itself: unless the server still knows that the write was never
 * executed, the outcome is unknown, and the change must not be applied to what is there now. The same holds for a write
 * over any version, once the server has forgotten one that was made since it was sent first.
 */
import { OutcomeUnknownError } from "../../base/errors.ts";
import { type Runtime, sleep } from "../../base/runtime.ts";
import { backoffMs } from "../../driver/resilience/backoff.ts";

/** One of the writers that met wins at once, so the others need to spread out over little more than a round trip. */
const CONTENTION = { baseMs: 2, maxMs: 64 };

/** Runs `round` until its outcome is another than a conflict, up to `rounds` times; returns the last outcome. */
export async function untilNoConflict<Outcome extends { readonly status: string }>(
  runtime: Runtime,
  rounds: number,
  round: () => Promise<Outcome>,
): Promise<Outcome> {
  let outcome = await round();
  for (let done = 1; done < rounds && outcome.status === "conflict"; done += 1) {
    await sleep(runtime, backoffMs(runtime, CONTENTION, done - 1));
    outcome = await round();
  }
  return outcome;
}

/** A repeat was refused, and whether an attempt before it was executed can no longer be known. */
export function unknownAfterRepeat(op: string, key: string): OutcomeUnknownError {
  const what = "its answer was lost, and other writes came before it could be repeated";
  const advice = "it was executed once or not at all; read the state before doing it again";
  return new OutcomeUnknownError(`${op} ${JSON.stringify(key)}: ${what}; ${advice}`, { op, key });
}
