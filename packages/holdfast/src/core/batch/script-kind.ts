/** Merging by a script's own merged form: a lane's group becomes one EVALSHA. */
import type { Driver } from "../../driver/port.ts";
import { HoldfastError } from "../../base/errors.ts";
import { asHoldfastError, type BatchItem, mostOf, runMerged, runScript, type UnclassedCall } from "../script/run.ts";
import type { BatchScript } from "../script/script.ts";
import type { BatchKind, Pending } from "./lane.ts";

/**
 * The kind of operation that `script` does.
 * @param conclude makes the caller's answer of an item's outcome; what it throws is the item's rejection
 */
export function scriptKind<Keys, Args, Result, Item extends BatchItem<Keys, Args>, Output>(
  driver: Driver,
  script: BatchScript<Keys, Args, Result>,
  call: UnclassedCall,
  conclude: (outcome: Result | HoldfastError, item: Item) => Output,
): BatchKind<Item, Output> {
  const one = async (pending: Pending<Item, Output>): Promise<void> => {
    const { keys, args, key, onRepeat } = pending.item;
    const { op, timeoutMs, signal, patienceMs } = call;
    const named = { op, key, timeoutMs, signal, patienceMs };
    let outcome: Result | HoldfastError;
    try {
      outcome = await runScript(driver, script, keys, args, named, onRepeat);
    } catch (error) {
      outcome = asHoldfastError(error);
    }
    settle(pending, outcome, conclude);
  };
  const many = async (group: readonly Pending<Item, Output>[]): Promise<void> => {
    const items = group.map(({ item }) => item);
    const outcomes = await runMerged(driver, script, items, call);
    for (let at = 0; at < group.length; at += 1) settle(group[at]!, outcomes[at]!, conclude);
  };
  return { maxItems: mostOf(script), run: (group) => void (group.length === 1 ? one(group[0]!) : many(group)) };
}

/** A conclusion of `scriptKind` for callers who take the result as it is. */
export function orThrow<Result>(outcome: Result | HoldfastError): Result {
  if (outcome instanceof HoldfastError) throw outcome;
  return outcome;
}

function settle<Item, Outcome, Output>(
  pending: Pending<Item, Output>,
  outcome: Outcome,
  conclude: (outcome: Outcome, item: Item) => Output,
): void {
  try {
    pending.resolve(conclude(outcome, pending.item));
  } catch (error) {
    pending.reject(error);
  }
}
