/** What is asked for, granted and held for a time: the server's side of one request, from its first attempt to its release. */
import type { LeasePort, LeaseTerms } from "./timed-lease.ts";

export interface AttemptCall {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** `since` is the place in the queue, to be passed with the next attempt. */
export interface Busy {
  readonly status: "busy";
  /** When it may be free without anybody's release: the waiter asks again then. */
  readonly ttlMs: number;
  readonly since: number;
}

/** All attempts carry one token, so that a lost answer leaves no ghost. */
export interface AcquireRequest<Granted extends { readonly status: "acquired" }> {
  readonly name: string;
  /** What is asked for as messages name it, such as `lock "invoice:42"`. */
  readonly label: string;
  /** `lock.acquire` */
  readonly op: string;
  /** Wake-ups for this request carry it. */
  readonly token: string;
  /** `place`: stay in the queue when it is busy, 0 at first; undefined: only ask. */
  attempt(place: number | undefined, call: AttemptCall): Promise<Granted | Busy>;
  /** Ends a request that waits no longer or whose answer was lost. Never rejects: what cannot be ended now, ends by its ttl. */
  abandon(timeoutMs: number): Promise<void>;
  /** Why a wait was in vain, for the message: `still held after 300 ms`. */
  inVain(waitMs: number, isHeldHere: boolean): string;
}

export type LeaseRequest<Granted extends { readonly status: "acquired" }> = AcquireRequest<Granted> & LeasePort;

export type Granted<G> = G & {
  /** On the clock of the runtime, from before the attempt that was granted. */
  readonly grantedAt: number;
};

export interface RequestTerms extends Omit<LeaseTerms, "label"> {
  /** Deadline of each request to the server. */
  readonly timeoutMs: number;
}

export interface Waiting {
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}
