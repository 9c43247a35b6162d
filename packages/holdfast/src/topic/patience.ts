/** What the background of a subscription does about an error that is nobody's outcome. */
import { HoldfastError, isOutage } from "../base/errors.ts";

/** Whether it makes sense to do it again later. */
export function mayPass(error: unknown): boolean {
  return isOutage(error) || (error instanceof HoldfastError && error.code === "TIMEOUT");
}

const warned = new Set<string>();

/** What no waiting will mend (a right that is missing, a script that fails) has nobody to reject, so it is a warning, once. */
export function warnUnlessOutage(error: unknown): void {
  const code = error instanceof HoldfastError ? error.code : "INTERNAL";
  if (mayPass(error) || code === "CLOSED" || warned.has(code)) return;
  warned.add(code);
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a topic's subscription goes on trying: ${message}`, { code: "HOLDFAST_TOPIC" });
}
