/** One request for permits, on its way through acquisition, renewal and release. */
import { InvalidArgumentError, said } from "../base/errors.ts";
import type { AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import type { PermitRequest, SemaphoreStore } from "./store.ts";

export interface PermitGrant {
  readonly status: "acquired";
  readonly fence: number;
}

export class SemaphoreRequest implements LeaseRequest<PermitGrant> {
  readonly op = "semaphore.acquire";
  readonly label: string;
  readonly token: string;
  readonly #request: PermitRequest;
  readonly #store: SemaphoreStore;

  constructor(store: SemaphoreStore, label: string, count: number, token: string) {
    this.label = label;
    this.token = token;
    this.#request = { hold: `${token}:${count}`, count };
    this.#store = store;
  }

  get name(): string {
    return this.#store.name;
  }

  get count(): number {
    return this.#request.count;
  }

  async attempt(place: number | undefined, call: AttemptCall): Promise<PermitGrant | Busy> {
    const answer = await this.#store.acquire(this.#request, place, call);
    if (answer.status === "oversized") throw this.#oversized(answer.limit);
    return answer;
  }

  extend(ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    return this.#store.extend(this.#request, ttlMs, call);
  }

  release(): Promise<LeaseEnd | "unclear"> {
    return this.#store.release(this.#request);
  }

  abandon(timeoutMs: number): Promise<void> {
    return this.#store.abandon(this.#request, timeoutMs);
  }

  inVain(waitMs: number, isHeldHere: boolean): string {
    const hint = isHeldHere ? "; this process holds some of them itself" : "";
    return `${this.count === 1 ? "no permit" : `not ${this.count} permits`} free after ${waitMs} ms${hint}`;
  }

  #oversized(limit: number): InvalidArgumentError {
    const expected = `at most ${limit}, which is the limit now`;
    const details = { op: this.op, key: this.name, where: this.label };
    return new InvalidArgumentError("permits", expected, said(String(this.count)), details);
  }
}
