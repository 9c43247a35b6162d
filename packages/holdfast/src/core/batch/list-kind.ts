/** Merging by a command that takes many items and returns one outcome for each: a lane's group becomes one such call. */
import { HoldfastError } from "../../base/errors.ts";
import type { BatchKind, Pending } from "./lane.ts";

/** @param call resolves to one outcome per item, in their order; an error among them is that item's alone, its rejection that of all */
export function listKind<Item, Output>(
  maxItems: number,
  call: (items: readonly Item[]) => Promise<readonly (Output | HoldfastError)[]>,
): BatchKind<Item, Output> {
  const run = async (group: readonly Pending<Item, Output>[]): Promise<void> => {
    try {
      settle(group, await call(group.map(({ item }) => item)));
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  };
  return { maxItems, run: (group) => void run(group) };
}

function settle<Output>(
  group: readonly Pending<unknown, Output>[],
  outcomes: readonly (Output | HoldfastError)[],
): void {
  for (const [at, pending] of group.entries()) {
    const outcome = outcomes[at]!;
    if (outcome instanceof HoldfastError) pending.reject(outcome);
    else pending.resolve(outcome);
  }
}
