/**
 * What a process has done, one JSON line each, written before and after every effect. `writeSync` hands each line to the kernel
 * before it returns, so SIGKILL loses none. Nothing is synced to the disk: the machine itself does not fail here.
 */
import { existsSync, openSync, readFileSync, writeSync } from "node:fs";

export class Ledger<Entry> {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

/** A process that was killed within a write leaves half a line, one that was killed before it nothing. */
export function readLedger<Entry>(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Entry);
}

/** Microseconds on the machine's monotonic clock, the same in each process and whatever `Date` says there. */
export function ticks(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
