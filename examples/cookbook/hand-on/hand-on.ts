/**
 * An import that runs for hours, in one process of the fleet, and outlives a deployment: the process that is shut down hands its lock
 * and its place on to the next one, which goes on at once. In between nobody else can begin it again from the first row.
 */
import type { HeldLock, Holdfast } from "holdfast";

/** For the process that takes over. Whoever has it can: it goes where the work goes, and not into a log. */
export interface Handover {
  readonly token: string;
  readonly next: number;
}

/** `fence` goes along with each row: the database refuses a row with a lower one than it has seen. */
export type Write<Row> = (row: Row, fence: number) => Promise<void>;

async function take(hf: Holdfast, from: Handover | undefined): Promise<HeldLock> {
  const lock = hf.lock("import", { ttl: "30s", maxHold: false });
  if (from === undefined) return lock.acquire({ wait: 0 });
  const resumed = await lock.resume(from.token);
  if (resumed.status !== "ok")
    throw new Error(`the import was ${resumed.status}: it begins again after the last row that was written`);
  return resumed.lock;
}

/** Imports all rows and returns undefined; once `stop` aborts, what the next process goes on with. */
export async function importRows<Row>(
  hf: Holdfast,
  rows: readonly Row[],
  write: Write<Row>,
  { stop, from }: { readonly stop?: AbortSignal; readonly from?: Handover } = {},
): Promise<Handover | undefined> {
  const held = await take(hf, from);
  for (let next = from?.next ?? 0; next < rows.length; next += 1) {
    // Not released: it stays held by this process until the next one has it, or until this one is gone for 30 s.
    if (stop?.aborted === true) return { token: held.token, next };
    held.signal.throwIfAborted();
    await write(rows[next]!, held.fence);
  }
  await held.release();
  return undefined;
}
