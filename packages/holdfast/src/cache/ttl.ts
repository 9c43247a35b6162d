/** How long entries are served, also those that are served for ever. */
import { type Duration, toMs } from "../base/options.ts";

/** A duration, or `"none"`: until it is replaced, removed or invalidated, however long that takes. */
export type CacheTtl = Duration | "none";

/** What scripts take for a time without an end. */
const FOR_EVER = -1;
/** Until when an entry without an end is served: the last moment that fits (see entry.ts), in the year 10889. */
export const NEVER_ENDS: number = 2 ** 48 - 1;

/** In milliseconds; Infinity: without an end. */
export function ttlToMs(field: string, ttl: CacheTtl): number {
  return ttl === "none" ? Number.POSITIVE_INFINITY : toMs(field, ttl);
}

/** As scripts take them: for how long an entry is served, and kept. */
export function timesOf(freshMs: number, keepMs: number): { readonly freshMs: number; readonly keepMs: number } {
  const isEndless = freshMs === Number.POSITIVE_INFINITY;
  return isEndless ? { freshMs: FOR_EVER, keepMs: FOR_EVER } : { freshMs, keepMs };
}
