/** One call that reads an entry. */
import type { KeyRead } from "../core/batch/read-kind.ts";
import type { CacheLoad } from "./load.ts";
import type { ReadManner } from "./manner.ts";

/** What a call asks for, besides the entry. */
export interface ReadTerms {
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly refresh: boolean;
  readonly signal: AbortSignal | undefined;
  /** Undefined: as most do. */
  readonly manner: ReadManner | undefined;
}

/** What it wants where there is no entry. */
export interface CacheRead extends KeyRead, ReadTerms {
  readonly load: CacheLoad<unknown> | undefined;
  /** `Loader.now` when it was called. */
  readonly since: number;
  /** Whether it was called by the key's own loader. */
  readonly isOwn: boolean;
  /** `L1.changes` then. */
  readonly changes: number;
  /** Called when the load turns out to be another's, which is waited for. */
  readonly waits: (() => void) | undefined;
  /** Resolves when it is known what was invalidated before the call; undefined where that is known anyhow. */
  readonly upToDate: Promise<void> | undefined;
}

export const NO_TERMS: ReadTerms = {
  ttlMs: undefined,
  tags: undefined,
  refresh: false,
  signal: undefined,
  manner: undefined,
};
