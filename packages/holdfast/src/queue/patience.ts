/** How a worker goes on while something does not work. */
import { HoldfastError, isOutage } from "../base/errors.ts";

const warned = new Set<string>();

/** What no waiting will mend (a right that is missing, a script that fails) has nobody to reject, so it is a warning, once. */
export function warnUnlessOutage(error: unknown): void {
  const code = error instanceof HoldfastError ? error.code : "INTERNAL";
  if (isOutage(error) || code === "TIMEOUT" || code === "CLOSED" || warned.has(code)) return;
  warned.add(code);
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a queue's worker goes on trying: ${message}`, { code: "HOLDFAST_QUEUE" });
}

/** It is nobody's outcome any more. */
export function warnAfterCommit(id: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`the handler of job ${id} failed after it had committed: ${message}`, { code: "HOLDFAST_QUEUE" });
}
