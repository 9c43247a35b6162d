/** Calls of listeners that others wrote. */
const reported = new WeakSet<object>();

/**
 * A listener that throws must not reach the client: its decoder would lose its place in the stream. It is reported as
 * a process warning, each listener once.
 */
export function guarded(what: string, listener: object, call: () => void): void {
  try {
    call();
  } catch (error) {
    if (reported.has(listener)) return;
    reported.add(listener);
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${what} threw: ${reason}`, { code: "HOLDFAST_LISTENER" });
  }
}
