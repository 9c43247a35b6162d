/** The other end of fleet.ts: what each forked program does with the requests of its parent. */
import type { Request } from "./fleet.ts";

/** Nothing of this process runs meanwhile, as in a busy loop, but no core is taken from the others. */
export function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Calls `end` when the parent asks for it, and ends the process after it, or with the parent. */
export function serve(end: () => Promise<void>): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", (request: Request) => {
    if (request.ask === "freeze") return freeze(request.ms);
    void end().then(() => process.exit(0));
  });
}
