/** Nested use: who is inside a `run` of a lock would wait for itself. */
import type { LeaseHolders } from "../core/lease/lease-holders.ts";
import { HeldLock } from "./held-lock.ts";
import { HeldLockSet } from "./held-lock-set.ts";
import { lockLabel } from "./options.ts";

/**
 * To be asked before anything is awaited: the caller is known by its stack.
 * @throws HoldfastError with code `CONFLICT` if the caller is in a `run` of the lock, under another owner
 */
export function refuseNested(holders: LeaseHolders, name: string, owner: string | undefined): void {
  if (!holders.hasRuns) return;
  const advice = "it is in a run() of this lock; nested use needs one `owner` for both";
  holders.refuseNested(
    { name, label: lockLabel(name), op: "lock.acquire", advice },
    (held) => owner !== undefined && (held instanceof HeldLock || held instanceof HeldLockSet) && held.owner === owner,
  );
}
