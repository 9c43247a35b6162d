/** The connections of this process: those that are open, and those that have ended until their clients have read it or are gone. */
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { LiveConnection, SweepTerms } from "./connection.ts";
import type { Turns } from "./turns.ts";

/** A connection with what is asked again for it. */
export interface Open<R> {
  readonly connection: LiveConnection;
  readonly request: R;
  checkAt: number;
  endAt: number;
  isChecked: boolean;
  /** Of its changes by requests. */
  readonly turns: Turns;
}

/** What clients have yet to read is waited for so long at the close. */
const DRAIN_MS = 3_000;

export class Connections<R> {
  readonly #runtime: Runtime;
  readonly #terms: SweepTerms;
  readonly #check: (open: Open<R>) => void;
  readonly #open = new Map<string, Open<R>>();
  readonly #leaving = new Set<LiveConnection>();
  #sweeps: Timer | undefined;
  #drained: (() => void) | undefined;

  /** @param check called for one whose `checkAt` has come */
  constructor(runtime: Runtime, terms: SweepTerms, check: (open: Open<R>) => void) {
    this.#runtime = runtime;
    this.#terms = terms;
    this.#check = check;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** With those that are leaving. */
  get count(): number {
    return this.#open.size + this.#leaving.size;
  }

  get(id: string): Open<R> | undefined {
    return this.#open.get(id);
  }

  /** Those that are open. */
  [Symbol.iterator](): Iterator<Open<R>> {
    return this.#open.values();
  }

  add(open: Open<R>): void {
    this.#open.set(open.connection.id, open);
    if (this.#sweeps !== undefined) return;
    this.#sweeps = this.#runtime.setInterval(() => this.#sweep(), this.#terms.sweepMs);
    this.#sweeps.unref();
  }

  ended(connection: LiveConnection): void {
    this.#open.delete(connection.id);
    this.#leaving.add(connection);
  }

  gone(connection: LiveConnection): void {
    this.#leaving.delete(connection);
    if (this.#leaving.size === 0) this.#drained?.();
    if (this.count > 0) return;
    this.#runtime.clearInterval(this.#sweeps);
    this.#sweeps = undefined;
  }

  /** Waits for clients to read what has ended, and gives up those that do not. */
  async drain(): Promise<void> {
    if (this.#leaving.size === 0) return;
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    const timer = this.#runtime.setTimeout(() => this.#drained?.(), DRAIN_MS);
    await drained;
    this.#runtime.clearTimeout(timer);
    for (const connection of this.#leaving) connection.abandon();
  }

  #sweep(): void {
    const now = this.#runtime.now();
    for (const open of this.#open.values()) {
      if (now >= open.endAt) open.connection.bye("expired");
      else open.connection.sweep(now, this.#terms);
      if (now >= open.checkAt && !open.isChecked) this.#check(open);
    }
    for (const connection of this.#leaving) connection.sweep(now, this.#terms);
  }
}
