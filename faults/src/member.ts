/** The other end of fleet.ts: what each forked program does with the requests of its parent. */
import type { Request } from "./fleet.ts";

/** Of the time in which a process is to end: it says then what it waits for. */
const OVERDUE_SHARE = 0.8;

/** Nothing of this process runs meanwhile, as in a busy loop, but no core is taken from the others. */
export function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Calls `end` when the parent asks for it, and ends the process after it, or with the parent. What takes too long says what `describe` returns. */
export function serve(end: () => Promise<void>, describe: () => unknown): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", (request: Request) => {
    if (request.ask === "freeze") return freeze(request.ms);
    // An answer to the program itself.
    if (request.ask !== "end") return;
    setTimeout(() => sayOverdue(describe()), request.withinMs * OVERDUE_SHARE);
    void end().then(() => process.exit(0));
  });
}

function sayOverdue(state: unknown): void {
  const resources = process.getActiveResourcesInfo().join(" ");
  process.stderr.write(`${process.pid} has not ended yet: ${JSON.stringify(state)}, and holds ${resources}\n`);
}
