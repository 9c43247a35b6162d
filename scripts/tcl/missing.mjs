/** Which tests the real server passes and the embedded one does not, and why. */
import { REASONS } from "./units.mjs";

/**
 * @param {string[]} reference names of the tests that the real server passes; a name may stand there more than once
 * @param {{ ok: string[], failed: import("./run-unit.mjs").Failure[], stoppedBy: string | undefined }} run of the embedded server
 * @param {{ test: string, reason: string }[]} skipped
 * @returns {{ test: string, reason: string }[]}
 */
export function missingTests(reference, run, skipped) {
  const failed = [...run.failed];
  return without(reference, run.ok).map((test) => {
    // Each failure is the reason of one missing test: some names stand in a unit twice.
    const index = failed.findIndex((failure) => failure.test === test);
    const [failure] = index < 0 ? [] : failed.splice(index, 1);
    return { test, reason: reasonOf(test, failure, run.stoppedBy, skipped) };
  });
}

/** The names that are left over once each of `taken` has been struck out once. */
function without(names, taken) {
  const counts = new Map();
  for (const name of taken) counts.set(name, (counts.get(name) ?? 0) + 1);
  return names.filter((name) => {
    const left = counts.get(name) ?? 0;
    if (left > 0) counts.set(name, left - 1);
    return left === 0;
  });
}

function reasonOf(test, failure, stoppedBy, skipped) {
  const skip = skipped.find((entry) => matches(entry.test, test));
  if (skip !== undefined) return skip.reason;
  if (failure !== undefined) {
    return REASONS.find(([pattern]) => pattern.test(failure.details))?.[1] ?? failure.message;
  }
  return stoppedBy === undefined ? "not run" : `not reached: ${stoppedBy}`;
}

function matches(pattern, test) {
  return pattern.startsWith("/") ? new RegExp(pattern.slice(1)).test(test) : pattern === test;
}
