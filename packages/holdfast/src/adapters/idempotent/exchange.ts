/** One request with an `Idempotency-Key` on its way to its handler, as a framework's adapter shows it: the port between the two. */
import type { IdempotencyRun } from "../../idempotency/runs.ts";
import type { Fields } from "../http-cache/headers.ts";
import type { IdempotentRequest } from "./options.ts";

/** A handler's response, none of which has been sent. */
export interface Held {
  readonly status: number;
  readonly fields: Fields;
  /** The whole of it; undefined where it is longer than it may be: then the rest follows as it comes. */
  readonly body: Uint8Array | undefined;
  /** It ended before it was whole. */
  readonly isBroken?: boolean;
}

export interface IdempotentExchange extends IdempotentRequest {
  /** The request's body, and the handler gets it all the same; undefined where it is longer than `max`. */
  body(max: number): Promise<string | Uint8Array | undefined>;
  /** Runs the handler, and holds its response back until `IdempotentHttp.handle` has returned. At most once. */
  run(run: IdempotencyRun, max: number): Promise<Held>;
}

/** What is left for the adapter to do. */
export type Handled =
  /** The handler is to be run as if there were nothing in front of it. */
  | { readonly by: "nobody" }
  /** The response that is held back may go. */
  | { readonly by: "handler" }
  /** To be sent as it is, and nothing of the handler's. */
  | { readonly by: "stored"; readonly status: number; readonly fields: Fields; readonly body: Uint8Array };

const runs = new WeakMap<object, IdempotencyRun>();

/** Lets a handler find its run by its request. */
export function noteRun(request: object, run: IdempotencyRun): void {
  runs.set(request, run);
}

/**
 * Returns the run that a request's handler is in: its key, fence, attempt and signal; undefined for one without a key.
 * @param request the `Request`, or Node's `IncomingMessage`
 */
export function idempotencyRun(request: object): IdempotencyRun | undefined {
  return runs.get(request);
}
