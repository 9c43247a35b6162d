/** What an operation of one cache object asks about invalidations, within its own time: those that were carried out, and those that failed and go first. */
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Recovery } from "./recovery.ts";
import type { Versions } from "./versions/versions.ts";

export class Validity {
  readonly #versions: Versions;
  readonly #recovery: Recovery;
  readonly #timeoutMs: number;

  constructor(versions: Versions, recovery: Recovery, timeoutMs: number) {
    this.#versions = versions;
    this.#recovery = recovery;
    this.#timeoutMs = timeoutMs;
  }

  get isReady(): boolean {
    return this.#versions.isReady;
  }

  /** Whether something that has failed is about that entry. */
  concerns(key: string): boolean {
    return this.#recovery.concerns(key);
  }

  /** Whether an operation on that entry has nothing to wait for. */
  isOpen(key: string): boolean {
    return this.isReady && !this.concerns(key);
  }

  /** Resolves once it is known what is invalid: without a detour, so that all that waits for it goes on in the order of the calls. */
  ready(op: string): Promise<void> {
    return this.#versions.ready(op, this.#timeoutMs);
  }

  /** Resolves once it is sent. */
  settled(op: string, id: Id, key: string): Promise<void> {
    return this.#recovery.settled(key, { op, id, timeoutMs: this.#timeoutMs });
  }

  /** Whether an entry of this sequence with these tags is valid, by what the server knows now, or when `upToDate` resolves. */
  verify(
    key: string,
    sequence: number,
    tags: readonly string[] | undefined,
    upToDate?: Promise<void>,
  ): Promise<boolean> {
    return this.#versions.verify(key, sequence, tags, this.#timeoutMs, upToDate);
  }

  /** Resolves once it is known what was invalidated before the call. */
  catchUp(): Promise<void> {
    return this.#versions.catchUp(this.#timeoutMs);
  }

  /** The same, or once that cannot be known; undefined where it is known anyhow. */
  heardOf(): Promise<void> | undefined {
    return this.#versions.isExact ? undefined : this.catchUp().catch(() => undefined);
  }
}
