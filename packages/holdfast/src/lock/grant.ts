/** What is asked for, and what is granted. */
import type { Busy } from "../core/lease/request.ts";

/** One request for a lock. Its token is the same in all its attempts, so that a lost answer leaves no ghost. */
export interface LockRequest {
  /** "": it shares the lock with no other. */
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
}

export interface LockGrant {
  readonly status: "acquired";
  readonly fence: number;
  /** Somebody waited for it already, so that it is to be handed over in the end. */
  readonly contended?: boolean;
}

/** `crowded`: its owner has as many holds of it as it may have. */
export type LockAnswer = LockGrant | Busy | { readonly status: "crowded" };
