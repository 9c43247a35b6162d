/** One call about many entries: what became of each. */
import { HoldfastError, InvalidArgumentError, PartialFailureError } from "../base/errors.ts";
import { listOf } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Id } from "../core/keyspace/keyspace.ts";

/** Each once, all of them checked before the first is asked for. */
export function distinctIds(ids: Iterable<Id>, check: (id: Id) => unknown): Id[] {
  const wanted = [...new Set(listOf("ids", ids, "ids"))];
  for (const id of wanted) check(id);
  return wanted;
}

/** By id; the last one of an id counts. */
export function entriesByIds<V>(entries: Iterable<readonly [Id, V]>): Map<Id, V> {
  const expected = "entries, each an array of an id and a value";
  const given = listOf("entries", entries, expected);
  for (const entry of given) if (!Array.isArray(entry)) throw new InvalidArgumentError("entries", expected, entry);
  return new Map(given);
}

/**
 * Asks about each id, in chunks; returns the answers in the order of the ids.
 * @throws PartialFailureError if some failed; if all did, of one and the same cause, that
 */
export async function answersFor<R>(
  ids: readonly Id[],
  size: number,
  ask: (chunk: readonly Id[]) => readonly Promise<R>[],
): Promise<Map<Id, R>> {
  const [results, errors] = [new Map<Id, R>(), new Map<Id, Error>()];
  const outcomes = await inChunks(ids, (chunk) => Promise.allSettled(ask(chunk)), { size });
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") results.set(ids[at]!, outcome.value);
    else errors.set(ids[at]!, outcome.reason as Error);
  }
  if (errors.size === 0) return results;
  const [first, ...others] = errors.values();
  const isOne = results.size === 0 && others.every((error) => error === first || isSameOutage(error, first));
  throw isOne ? first : new PartialFailureError(errors, results);
}

export function withoutAbsent<V>(found: Iterable<readonly [Id, V | undefined]>): Map<Id, V> {
  const values = new Map<Id, V>();
  for (const [id, value] of found) if (value !== undefined) values.set(id, value);
  return values;
}

/** Of a call of which each chunk failed by itself. */
function isSameOutage(error: unknown, first: unknown): boolean {
  return error instanceof HoldfastError && first instanceof HoldfastError && error.code === first.code;
}
