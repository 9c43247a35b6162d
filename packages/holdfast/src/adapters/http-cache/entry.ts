/**
 * What is stored under an id:
 *
 *     a URL ──► response              one for all requests
 *           ──► vary, with a nonce ──► nonce and the request's values ──► response    one of several
 *           ──► pass                  none that others may have: for a moment nobody waits for another's
 *
 * The nonce is of that one list of fields: once it is removed, no response that was stored under it is ever found again.
 */
import type { Directives } from "./directives.ts";
import type { Fields } from "./headers.ts";
import type { Life } from "./policy.ts";

export interface StoredResponse {
  readonly kind: "response";
  readonly status: number;
  readonly fields: Fields;
  readonly body: Uint8Array;
  /** When its request was sent on to the handler, by the server's clock, as all that is a time here. */
  readonly at: number;
  readonly life: Life;
  /** Until when the handler is not asked again, after it has failed. */
  readonly failedUntil?: number;
}

export interface StoredVary {
  readonly kind: "vary";
  readonly names: readonly string[];
  readonly nonce: string;
  readonly until: number;
}

export interface StoredPass {
  readonly kind: "pass";
  readonly until: number;
}

export type Stored = StoredResponse | StoredVary | StoredPass;

/** `fresh`; or what it may be served for although it is stale; or `no`. */
export type Use = "fresh" | "max-stale" | "while-revalidate" | "failed" | "no";

export function ageOf({ at, life }: StoredResponse, now: number): number {
  return Math.max(0, now - at) + life.age;
}

/** What a stored response may be used for, by its own word and the client's. */
export function useOf(stored: StoredResponse, now: number, asked: Directives): Use {
  const { life } = stored;
  const age = ageOf(stored, now);
  if (asked.has("no-cache") || age > (asked.ms("max-age") ?? Number.POSITIVE_INFINITY) || asked.ms("max-age") === 0)
    return "no";
  const staleFor = age - life.fresh;
  if (!life.always && staleFor + (asked.ms("min-fresh") ?? 0) < 0) return "fresh";
  if (stored.failedUntil !== undefined && now < stored.failedUntil && staleFor < life.ifError) return "failed";
  if (life.always) return "no";
  const takesStale = asked.hasWhole("max-stale") ? Number.POSITIVE_INFINITY : (asked.ms("max-stale") ?? -1);
  if (!life.strict && staleFor >= 0 && staleFor <= takesStale) return "max-stale";
  return staleFor >= 0 && staleFor < life.whileRevalidate ? "while-revalidate" : "no";
}

/** Whether it may be served because the handler has failed. */
export function servesErrors(stored: StoredResponse, now: number): boolean {
  return ageOf(stored, now) - stored.life.fresh < stored.life.ifError;
}
