/** How a call reads that does not read as most do: which levels it uses, and what it wants to know of the entry. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Loose } from "../base/options.ts";
import type { ServerClock } from "../core/clock/server-clock.ts";
import { aboutOf, freshUntil } from "./entry.ts";
import { NEVER_ENDS } from "./ttl.ts";

export interface CacheLevels {
  /**
   * The level in memory: `false` neither reads from it nor keeps there what is read, `"read"` keeps nothing, `"write"` reads past it.
   * @default true
   */
  readonly l1?: boolean | "read" | "write";
  /**
   * The server: `false` neither asks it nor stores there, so that this process loads for itself what it has not in memory; `"read"` does not store what is
   * loaded. For reading past it, and storing, there is `refresh`.
   * @default true
   */
  readonly server?: boolean | "read";
}

export interface ReadManner {
  readonly readsL1: boolean;
  readonly keepsL1: boolean;
  readonly asksServer: boolean;
  readonly stores: boolean;
  /** Whether the answer is a `Found`. */
  readonly isDetailed: boolean;
}

/** A value with the entry that it was read from; without where it waits for the database only. */
export interface Found {
  readonly value: unknown;
  readonly stored: Buffer | undefined;
}

/** A value with what is known about it. */
export interface CacheEntry<V> {
  readonly value: V;
  /** Until when it is served: milliseconds since 1970, by the server's clock; undefined where it has no ttl, or waits for the database only. */
  readonly expiresAt: number | undefined;
  /** For how long it is served still, in milliseconds; undefined as `expiresAt`. */
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[];
  /** What its loader has called this version of it. */
  readonly etag: string | undefined;
}

/** Memory has no time of the entries, so the server is asked. */
export const DETAILED: ReadManner = {
  readsL1: false,
  keepsL1: true,
  asksServer: true,
  stores: true,
  isDetailed: true,
};

/** So many that they would push out what is in use. */
export const PAST_MEMORY: ReadManner = { ...DETAILED, keepsL1: false, isDetailed: false };

/** Undefined: as most do. */
export function mannerOf({ l1 = true, server = true }: Loose<CacheLevels>): ReadManner | undefined {
  if (l1 === true && server === true) return undefined;
  if (typeof l1 !== "boolean" && l1 !== "read" && l1 !== "write")
    throw new InvalidArgumentError("l1", 'a boolean, "read" or "write"', l1);
  if (typeof server !== "boolean" && server !== "read")
    throw new InvalidArgumentError("server", 'a boolean or "read" (for "write" there is refresh: true)', server);
  return {
    readsL1: l1 === true || l1 === "read",
    keepsL1: l1 === true || l1 === "write",
    asksServer: server !== false,
    stores: server === true,
    isDetailed: false,
  };
}

export async function entryOf<V>({ value, stored }: Found, clock: ServerClock): Promise<CacheEntry<V>> {
  const { t: tags = [], e: etag } = (stored === undefined ? undefined : aboutOf(stored)) ?? {};
  const known = { value: value as V, tags, etag };
  const expiresAt = stored === undefined ? NEVER_ENDS : freshUntil(stored);
  if (expiresAt === NEVER_ENDS) return { ...known, expiresAt: undefined, ttlMs: undefined };
  const now = await clock.known();
  return { ...known, expiresAt, ttlMs: now === undefined ? undefined : Math.max(0, Math.floor(expiresAt - now)) };
}
