/** Why an entry is served, or is not. */
import type { Id } from "../core/keyspace/keyspace.ts";
import { aboutOf, freshUntil, hasGrace, isEntry, MISS, payloadOf, sequenceOf } from "./entry.ts";
import type { Reader } from "./reader.ts";
import { NEVER_ENDS } from "./ttl.ts";

export interface CacheExplanation {
  /**
   * `fresh`: served; `late`: past its time and kept for its grace; `invalid`: one of its tags was invalidated or the cache cleared since it was loaded;
   * `unreadable`: not an entry that this version, schema or key can read; `missing`: there is none.
   */
  readonly status: "fresh" | "late" | "invalid" | "unreadable" | "missing";
  /** Where it is stored. */
  readonly key: string;
  /** Whether this process has it in memory. */
  readonly isInMemory: boolean;
  /** Whether somebody, in any process, is loading it. */
  readonly isLoading: boolean;
  /** Of the value as it is stored. */
  readonly bytes?: number;
  /** Milliseconds since 1970, by the server's clock: until when it is served; none for an entry without a ttl. */
  readonly freshUntil?: number;
  /** For how long it is served still, in milliseconds; 0 where its time is over, none for an entry without a ttl. */
  readonly ttlMs?: number;
  /** For how long it is kept after that. */
  readonly graceMs?: number;
  readonly tags?: readonly string[];
  /** Those of its tags that were invalidated since it was loaded. */
  readonly invalidTags?: readonly string[];
  readonly etag?: string;
}

export async function explain({ store, l1, clock }: Reader, id: Id): Promise<CacheExplanation> {
  const { validity, versions } = store;
  await validity.ready("cache.explain");
  const key = store.key(id);
  const { stored, keptMs, leaseMs } = await store.look(id);
  const common = { key, isInMemory: l1 !== undefined && l1.get(id) !== MISS, isLoading: leaseMs > 0 };
  if (stored === null) return { status: "missing", ...common };
  if (!isEntry(stored)) return { status: "unreadable", ...common, bytes: stored.length };
  const { t: tags = [], e: etag } = aboutOf(stored) ?? {};
  const sequence = sequenceOf(stored);
  const isValid = await validity.verify(key, sequence, tags, validity.catchUp());
  const now = (await clock.known()) ?? Number.NaN;
  const leftMs = Math.max(0, freshUntil(stored) - now);
  const isEndless = freshUntil(stored) === NEVER_ENDS;
  const isFresh = hasGrace(stored) ? leftMs > 0 : keptMs !== 0;
  const isReadable = store.decode(key, stored) !== MISS;
  const served = isFresh ? "fresh" : "late";
  return {
    status: isValid ? (isReadable ? served : "unreadable") : "invalid",
    ...common,
    bytes: payloadOf(stored).length,
    ...(!isEndless && { freshUntil: freshUntil(stored), ttlMs: Math.min(leftMs, keptMs) }),
    graceMs: hasGrace(stored) ? Math.max(0, keptMs - leftMs) : 0,
    tags,
    invalidTags: tags.filter((tag) => versions.judge(sequence, [tag]) === false),
    ...(etag !== undefined && { etag }),
  };
}
