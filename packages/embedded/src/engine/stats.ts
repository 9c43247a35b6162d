/** Counters for INFO; CONFIG RESETSTAT sets them to zero. */
import type { ErrorReply } from "../base/reply.ts";

export interface CommandCounts {
  calls: number;
  /** Refused before it ran. */
  rejected: number;
  /** Ran and answered with an error. */
  failed: number;
}

export class Stats {
  connections = 0;
  commands = 0;
  errors = 0;
  hits = 0;
  misses = 0;
  expired = 0;
  /** Changes of keys since the last SAVE. */
  changes = 0;
  savedAtMs = 0;
  /** By full name, such as `client|list`. */
  readonly byCommand: Map<string, CommandCounts> = new Map();
  /** By an error's first word. */
  readonly byError: Map<string, number> = new Map();

  called(name: string): void {
    this.commands += 1;
    this.#countsOf(name).calls += 1;
  }

  /** @param name the command's, or undefined for one that does not exist */
  rejected(name: string | undefined, reply: ErrorReply): void {
    if (name !== undefined) this.#countsOf(name).rejected += 1;
    this.#countError(reply);
  }

  /** An error which a script passes on was counted where it arose. */
  failed(name: string, reply: ErrorReply): void {
    if (reply.counted) return;
    this.#countsOf(name).failed += 1;
    this.#countError(reply);
  }

  reset(): void {
    this.connections = 0;
    this.commands = 0;
    this.errors = 0;
    this.hits = 0;
    this.misses = 0;
    this.expired = 0;
    this.byCommand.clear();
    this.byError.clear();
  }

  #countsOf(name: string): CommandCounts {
    let counts = this.byCommand.get(name);
    if (counts === undefined) {
      counts = { calls: 0, rejected: 0, failed: 0 };
      this.byCommand.set(name, counts);
    }
    return counts;
  }

  #countError({ message }: ErrorReply): void {
    this.errors += 1;
    const space = message.indexOf(" ");
    const code = space === -1 ? message : message.slice(0, space);
    this.byError.set(code, (this.byError.get(code) ?? 0) + 1);
  }
}
