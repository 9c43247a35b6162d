/** What RFC 9111 says about one response for a cache that many share: whether it may be stored, how long it is fresh, how long it is of use after that. */
import { ageMs, Directives } from "./directives.ts";
import { dateOf, endToEnd, field, type Fields, without } from "./headers.ts";
import { varyNames } from "./vary.ts";

/** Whole milliseconds; what is derived from the fields once, when the response is stored. */
export interface Life {
  /** Its age when it came. */
  readonly age: number;
  readonly fresh: number;
  /** How long past that it may be served while it is being replaced, and where replacing it fails. */
  readonly whileRevalidate: number;
  readonly ifError: number;
  /** Not even a fresh one is served without asking the handler. */
  readonly always: boolean;
  /** Never served stale because a client would take it so. */
  readonly strict: boolean;
}

export interface Asked {
  readonly authorization: boolean;
  /** Part of the time since `Last-Modified` that a response without a lifetime is fresh for. */
  readonly heuristic: number;
  /** When its request was sent on, by the same clock as `now`. */
  readonly now: number;
}

const NEVER_STORED = new Set([206, 304, 416]);
/** Those that may be fresh without saying so (RFC 9110, 15.1). */
const HEURISTIC_STATUS = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
const MAX_HEURISTIC_MS = 24 * 3_600_000;

/** Undefined where it may not be stored, or where storing it is of no use. */
export function lifeOf(status: number, fields: Fields, asked: Asked): Life | undefined {
  const control = new Directives(field(fields, "cache-control"));
  if (status < 200 || NEVER_STORED.has(status)) return undefined;
  if (control.has("no-store") || control.hasWhole("private") || field(fields, "set-cookie") !== undefined)
    return undefined;
  if (varyNames(fields) === "*") return undefined;
  const isForAll = control.has("public") || control.has("s-maxage") || control.has("must-revalidate");
  if (asked.authorization && !isForAll) return undefined;

  const explicit = freshFor(control, fields, asked.now);
  const always = control.hasWhole("no-cache");
  const hasValidator = field(fields, "etag") !== undefined || dateOf(field(fields, "last-modified")) !== undefined;
  const fresh = explicit ?? heuristicFor(status, fields, asked);
  const saysSo = explicit !== undefined || always || control.has("public");
  const mustRevalidate = control.has("must-revalidate") || control.has("proxy-revalidate") || always;
  const [whileRevalidate, ifError] = mustRevalidate
    ? [0, 0]
    : [control.ms("stale-while-revalidate") ?? 0, control.ms("stale-if-error") ?? 0];
  const age = ageOnArrival(fields, asked.now);
  const isOfUse = (fresh > age && !always) || whileRevalidate + ifError > 0 || (saysSo && hasValidator);
  if (!isOfUse) return undefined;
  return { age, fresh, whileRevalidate, ifError, always, strict: mustRevalidate || control.has("s-maxage") };
}

/** The fields to store: none of the connection's, and none that the response keeps from caches by its name. */
export function storedFields(fields: Fields): Fields {
  const control = new Directives(field(fields, "cache-control"));
  const kept = new Set([...control.fields("private"), ...control.fields("no-cache"), "age", "cache-status"]);
  return without(endToEnd(fields), kept);
}

function freshFor(control: Directives, fields: Fields, now: number): number | undefined {
  const stated = control.ms("s-maxage") ?? control.ms("max-age");
  if (stated !== undefined) return stated;
  const expires = field(fields, "expires");
  if (expires === undefined) return undefined;
  return Math.max(0, (dateOf(expires) ?? 0) - (dateOf(field(fields, "date")) ?? now));
}

function heuristicFor(status: number, fields: Fields, { heuristic, now }: Asked): number {
  const modified = dateOf(field(fields, "last-modified"));
  if (heuristic === 0 || modified === undefined || !HEURISTIC_STATUS.has(status)) return 0;
  return Math.max(0, Math.min(MAX_HEURISTIC_MS, Math.floor((now - modified) * heuristic)));
}

function ageOnArrival(fields: Fields, now: number): number {
  const date = dateOf(field(fields, "date"));
  // A date has whole seconds: what is less than one is no age.
  const apparent = date === undefined || now - date < 1_000 ? 0 : now - date;
  return Math.floor(Math.max(apparent, ageMs(field(fields, "age"))));
}
