/** Requests for a read-write lock: for a hold, and for the upgrade of one. */
import { LeaseLostError } from "../base/errors.ts";
import type { AcquireRequest, AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import type { Mode, RwLockGrant, RwLockStore } from "./store.ts";

interface Asked {
  readonly store: RwLockStore;
  readonly label: string;
  readonly token: string;
  readonly ttlMs: number;
}

export class RwLockRequest implements LeaseRequest<RwLockGrant> {
  readonly op = "rwlock.acquire";
  readonly label: string;
  readonly token: string;
  readonly #asked: Asked;
  readonly #mode: Mode;

  constructor(asked: Asked, mode: Mode) {
    this.label = asked.label;
    this.token = asked.token;
    this.#asked = asked;
    this.#mode = mode;
  }

  get name(): string {
    return this.#asked.store.name;
  }

  attempt(place: number | undefined, call: AttemptCall): Promise<RwLockGrant | Busy> {
    const { store, token, ttlMs } = this.#asked;
    return store.acquire({ token, mode: this.#mode, ttlMs }, place, call);
  }

  extend(ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    return this.#asked.store.extend(this.token, ttlMs, call);
  }

  release(): Promise<LeaseEnd | "unclear"> {
    return this.#asked.store.release(this.token);
  }

  abandon(timeoutMs: number): Promise<void> {
    return this.#asked.store.abandon(this.token, this.#mode, timeoutMs);
  }

  inVain(waitMs: number, isHeldHere: boolean): string {
    return `still held after ${waitMs} ms${isHeldHere ? "; this process holds it itself" : ""}`;
  }
}

/** While it waits, the upgradable hold keeps new readers out; given up, it is upgradable as before. */
export class UpgradeRequest implements AcquireRequest<RwLockGrant> {
  readonly op = "rwlock.upgrade";
  readonly label: string;
  readonly token: string;
  readonly #asked: Asked;

  constructor(asked: Asked) {
    this.label = asked.label;
    this.token = asked.token;
    this.#asked = asked;
  }

  get name(): string {
    return this.#asked.store.name;
  }

  async attempt(place: number | undefined, call: AttemptCall): Promise<RwLockGrant | Busy> {
    const { store, token, ttlMs } = this.#asked;
    const answer = await store.upgrade({ token, ttlMs }, place, call);
    if (answer.status !== "expired") return answer;
    throw new LeaseLostError("expired", `${this.label}: the hold was lost before it could be upgraded`, {
      op: this.op,
      key: this.name,
    });
  }

  async abandon(timeoutMs: number): Promise<void> {
    await this.#asked.store.downgrade(this.token, true, timeoutMs).catch(() => undefined);
  }

  inVain(waitMs: number): string {
    return `readers were still in after ${waitMs} ms`;
  }
}
