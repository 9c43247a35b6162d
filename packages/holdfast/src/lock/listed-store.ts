/** A lock's server side that also lists what it holds, for `hf.locks`. */
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import type { LockAnswer, LockGrant, LockRequest } from "./grant.ts";
import { LockIndex } from "./lock-index.ts";
import { type LockPaths, LockStore } from "./store.ts";

export class ListedLockStore extends LockStore {
  readonly #index: LockIndex | undefined;

  constructor(core: Core, paths: LockPaths, name: string, label: string, isListed = true) {
    super(core, paths, name, label);
    this.#index = isListed ? new LockIndex(core) : undefined;
  }

  list(request: LockRequest): void {
    this.#index?.add(this.name, request, request.ttlMs);
  }

  override async acquire(request: LockRequest, place: number | undefined, call: AttemptCall): Promise<LockAnswer> {
    const answer = await super.acquire(request, place, call);
    if (answer.status === "acquired") this.list(request);
    return answer;
  }

  override async extend(request: LockRequest, ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    const extension = await super.extend(request, ttlMs, call);
    if (extension === "extended") this.#index?.add(this.name, request, Math.max(ttlMs, request.ttlMs));
    return extension;
  }

  override async release(
    request: LockRequest,
    grant: LockGrant,
    timeoutMs: number,
    repeated: boolean,
  ): Promise<LeaseEnd | "unclear"> {
    const end = await super.release(request, grant, timeoutMs, repeated);
    this.#index?.remove(this.name, request);
    return end;
  }

  /** Also of what was granted and is not wanted any more. */
  override async abandon(request: LockRequest, timeoutMs: number): Promise<void> {
    await super.abandon(request, timeoutMs);
    this.#index?.remove(this.name, request);
  }
}
