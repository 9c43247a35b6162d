import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export interface TagsOptions {
  /** An item expires, with all its tags, this long after its last `add` or `set`. @default none */
  readonly ttl?: Duration;
  /** Items in the index; one more is refused with status `limit`. @default 1_000_000 */
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

const NAMES: OptionNames<TagsOptions> = { ttl: true, maxItems: true, timeout: true };

export function tagsSettings(name: string, given: TagsOptions | undefined): TagsSettings {
  return parseOptions(`tags ${JSON.stringify(name)}`, given, NAMES, ({ ttl, maxItems = 1_000_000, timeout }) => ({
    ttlMs: ttl === undefined ? 0 : toMs("ttl", ttl),
    maxItems: wholeBetween("maxItems", maxItems, 1, Number.MAX_SAFE_INTEGER),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  }));
}
