/** One request to go on with a lock that another holds, by the token of its hold. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { DurableLockStore } from "./durability.ts";
import type { LockGrant, LockRequest } from "./grant.ts";
import type { LockStore } from "./store.ts";
import type { LockHold, LockTakeovers } from "./takeovers.ts";

const TOKEN = /^(\d{1,16})\.([0-9a-f-]{36})$/;

export function tokenOf({ token, fence }: LockHold): string {
  return `${fence}.${token}`;
}

/** @throws InvalidArgumentError which does not show it: whoever has it can take the lock over */
export function holdOf(token: string): LockHold {
  const [, fence, hold] = (typeof token === "string" && TOKEN.exec(token)) || [];
  if (hold !== undefined && Number.isSafeInteger(Number(fence))) return { token: hold, fence: Number(fence) };
  throw new InvalidArgumentError("token", "the `token` of a lock that was acquired", token);
}

export class LockResumption implements LeaseRequest<LockGrant> {
  readonly op = "lock.resume";
  readonly #store: LockStore;
  readonly #takeovers: LockTakeovers;
  readonly #from: LockHold;
  readonly #request: LockRequest;
  readonly #timeoutMs: number;
  #grant: LockGrant | undefined;
  #released = false;
  /** Why there is nothing to go on with. */
  loss: "expired" | "stolen" = "expired";

  constructor(
    { store, takeovers }: { readonly store: LockStore; readonly takeovers: LockTakeovers },
    from: LockHold,
    request: LockRequest,
    timeoutMs: number,
  ) {
    this.#store = store;
    this.#takeovers = takeovers;
    this.#from = from;
    this.#request = request;
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

  /** Busy where it is lost: nobody waits for that. */
  async attempt(_: number | undefined, call: AttemptCall): Promise<LockGrant | Busy> {
    const answer = await this.#takeovers.resume(this.#from, this.#request, call);
    if (answer.status === "acquired") {
      if (this.#store instanceof DurableLockStore) await this.#store.confirm(this.#request, call, this.op);
      this.#grant = answer;
      return answer;
    }
    this.loss = answer.status;
    return { status: "busy", ttlMs: 0, since: 0 };
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

  inVain(): string {
    return "there is nothing to go on with";
  }
}
