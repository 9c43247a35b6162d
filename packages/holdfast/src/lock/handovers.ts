/**
 * Locks that a release of this handle hands to a waiter of the same handle. The server chooses the waiter, the first in the queue, by
 * what its token begins with; it grants the whole ttl, and the answer to the release says so: no message, and nothing to accept.
 */
import type { Runtime } from "../base/runtime.ts";
import type { Wakeups } from "../core/wait/wakeups.ts";
import type { LockGrant } from "./grant.ts";

/** Of a token, the same for all of one handle: `HANDLE_LENGTH` of hold.lua. */
const HANDLE_LENGTH = 8;

export interface HandedLock extends LockGrant {
  /** On the clock of the runtime, from before the release was sent. */
  readonly grantedAt: number;
  readonly ttlMs: number;
}

export class Handovers {
  readonly #runtime: Runtime;
  readonly #wakeups: Pick<Wakeups, "wake" | "wakeAll">;
  readonly #handle: string;
  /** Tokens that wait for a lock, each with what it was handed since it last asked. */
  readonly #waiting = new Map<string, HandedLock | undefined>();

  constructor(runtime: Runtime, wakeups: Pick<Wakeups, "wake" | "wakeAll">) {
    this.#runtime = runtime;
    this.#wakeups = wakeups;
    this.#handle = runtime.randomUUID().slice(0, HANDLE_LENGTH);
  }

  /** A new one. */
  token(): string {
    return this.#handle + this.#runtime.randomUUID().slice(HANDLE_LENGTH);
  }

  /** What the token was handed; undefined where it has to ask the server. From now on it waits. */
  take(token: string): HandedLock | undefined {
    const handed = this.#waiting.get(token);
    this.#waiting.set(token, undefined);
    return handed;
  }

  /** It has a lock, or wants none. */
  leave(token: string): void {
    this.#waiting.delete(token);
  }

  /** One that has gone meanwhile has given up its place, and so it gives up what it was handed. */
  hand(token: string, lock: HandedLock): void {
    if (!this.#waiting.has(token)) return;
    this.#waiting.set(token, lock);
    this.#wakeups.wake(token);
  }

  /** A release was lost, or repeated, and nobody knows whom it handed the lock to: each asks. */
  wakeAll(): void {
    this.#wakeups.wakeAll();
  }
}
