/**
 * Learning at once that another has ended a hold (it resumed the lock, or released it by force), and not at the next renewal: those
 * publish the hold's token, and who is woken asks the server. A message may be lost; then the renewal is what finds out.
 */
import { MAX_TIMER_MS } from "../base/options.ts";
import type { Wakeups } from "../core/wait/wakeups.ts";

/** The shortest extension, which changes nothing: a hold never lasts shorter than it did. */
export const ASK_MS = 1;

export interface FollowedHold {
  readonly held: boolean;
  /** Asks the server whether it is held still, which ends it where it is not. */
  ask(): Promise<unknown>;
}

/** @returns what ends the listening, at the latest when the hold has ended */
export function followHold(wakeups: Pick<Wakeups, "join">, token: string, hold: FollowedHold): () => void {
  const stop = new AbortController();
  const follow = async (): Promise<void> => {
    const waiter = await wakeups.join(token);
    // What was published before the subscription was live is not heard: so it asks first.
    while (hold.held && !stop.signal.aborted) {
      await hold.ask().catch(() => undefined);
      if (hold.held && !stop.signal.aborted) await waiter.next(MAX_TIMER_MS, stop.signal);
    }
    waiter.leave();
  };
  void follow().catch(() => undefined);
  return () => stop.abort();
}
