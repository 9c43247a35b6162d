import { type Duration, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export interface TagsOptions {
  /** An item ends, with all its tags, this long after its last `add` or `set`. @default none */
  readonly ttl?: Duration;
  /** Items in the index; a new one beyond is refused with `full`. @default 1_000_000 */
  readonly maxItems?: number;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface TagsSettings {
  /** 0 for none. */
  readonly ttlMs: number;
  readonly maxItems: number;
  readonly timeoutMs: number | undefined;
}

export function tagsSettings(options: TagsOptions): TagsSettings {
  const { ttl, maxItems = 1_000_000, timeout } = options;
  return {
    ttlMs: ttl === undefined ? 0 : toMs("ttl", ttl),
    maxItems: wholeBetween("maxItems", maxItems, 1, Number.MAX_SAFE_INTEGER),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  };
}
