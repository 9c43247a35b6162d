/** One request on its way through the cache, as a framework's adapter shows it: the port between the two. */
import type { Validators } from "./conditional.ts";
import type { Fields } from "./headers.ts";

export interface Head {
  readonly status: number;
  readonly fields: Fields;
}

/** What is to become of the handler's response, decided when its head is known and none of it has been sent. */
export interface Plan {
  /** What the client gets of it: all, a 304 in its place, or nothing yet. */
  readonly client: "response" | "not-modified" | "nothing";
  /** Added to what the client gets. */
  readonly cacheStatus: string | undefined;
  /** The most bytes of the body that are kept; 0: it is not read. */
  readonly keep: number;
}

export interface Ran extends Head {
  /** The whole of it; undefined where it was not to be kept, is longer, or broke off. */
  readonly body: Uint8Array | undefined;
}

export type Decide = (head: Head) => Plan;

export interface Exchange {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Of the request, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /**
   * Runs the handler with these conditions instead of the client's, answers the client as `decide` says as soon as there is a head, and returns
   * the response when its body has been read. At most once.
   */
  run(validators: Validators | undefined, decide: Decide): Promise<Ran>;
  /** Runs the handler another time, for nobody; undefined where the adapter cannot. */
  readonly rerun: ((validators: Validators | undefined, decide: Decide) => Promise<Ran>) | undefined;
}

/** What is left for the adapter to do. */
export type Handled =
  /** The handler's own response has gone, or is going. */
  | { readonly by: "handler" }
  /** To be sent as it is. */
  | { readonly by: "cache"; readonly status: number; readonly fields: Fields; readonly body: Uint8Array }
  /** The handler is to be run as if there were no cache. */
  | { readonly by: "nobody"; readonly cacheStatus: string | undefined };
