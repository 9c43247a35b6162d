/**
 * A promise that somebody else settles, as `Promise.withResolvers` makes it, which Node 20 does not have. All of them
 * share one executor, so that a promise on the hot path costs no closure of its own to get at `resolve` and `reject`.
 */
type Resolve = (value: never) => void;
type Reject = (reason: unknown) => void;

let resolveNext: Resolve;
let rejectNext: Reject;

function capture(resolve: Resolve, reject: Reject): void {
  resolveNext = resolve;
  rejectNext = reject;
}

export class Deferred<T> {
  readonly promise: Promise<T> = new Promise<T>(capture);
  /** May be called without its object. */
  readonly resolve: (value: T | PromiseLike<T>) => void = resolveNext as (value: T | PromiseLike<T>) => void;
  readonly reject: (reason: unknown) => void = rejectNext;
}
