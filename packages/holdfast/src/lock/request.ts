/** One request for a lock, on its way through acquisition, renewal and release. */
import { HoldfastError } from "../base/errors.ts";
import type { AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import type { LockSettings } from "./options.ts";
import type { LockAnswer, LockGrant, LockRequest } from "./grant.ts";
import type { LockStore } from "./store.ts";

export class LockLeaseRequest implements LeaseRequest<LockGrant> {
  readonly op = "lock.acquire";
  readonly #request: LockRequest;
  readonly #store: LockStore;
  readonly #timeoutMs: number;
  #grant: LockGrant | undefined;
  #released = false;

  constructor(store: LockStore, { owner, ttlMs, timeoutMs }: LockSettings, token: string) {
    this.#request = { owner: owner ?? "", token, ttlMs };
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  get name(): string {
    return this.#store.name;
  }

  get label(): string {
    return this.#store.label;
  }

  get token(): string {
    return this.#request.token;
  }

  /** As others see who holds it. */
  get owner(): string {
    const { owner, token } = this.#request;
    return owner === "" ? token : owner;
  }

  attempt(place: number | undefined, call: AttemptCall): Promise<LockGrant | Busy> {
    return this.#store.acquire(this.#request, place, call).then(this.#taken);
  }

  extend(ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    return this.#store.extend(this.#request, ttlMs, call);
  }

  release(): Promise<LeaseEnd | "unclear"> {
    const repeated = this.#released;
    this.#released = true;
    return this.#store.release(this.#request, this.#grant!, this.#timeoutMs, repeated);
  }

  abandon(timeoutMs: number): Promise<void> {
    return this.#store.abandon(this.#request, timeoutMs);
  }

  inVain(waitMs: number, isHeldHere: boolean): string {
    const hint = isHeldHere ? "; this process holds it itself: nested use needs one `owner` for both" : "";
    return `still held after ${waitMs} ms${hint}`;
  }

  readonly #taken = (answer: LockAnswer): LockGrant | Busy => {
    if (answer.status === "crowded") throw this.#crowded();
    if (answer.status === "acquired") this.#grant = answer;
    return answer;
  };

  #crowded(): HoldfastError {
    const message = `${this.label}: owner ${JSON.stringify(this.owner)} holds it 100 times, which is the limit`;
    return new HoldfastError("OVERLOADED", message, { op: this.op, key: this.name });
  }
}
