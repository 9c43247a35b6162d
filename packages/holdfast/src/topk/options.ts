import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type WindowLength, type Windows, windowsOf } from "../core/window/windows.ts";

export interface TopKOptions {
  /** How many a list has, up to 200. @default 10 */
  readonly k?: number;
  /** Members that are counted at a time, up to 2,000: a count is too high by at most all additions divided by this. The same in all processes, as another one is another list. @default 50 times `k`, from 500 to 2,000 */
  readonly counters?: number;
  /** Members are counted in windows of this length: `hour`, `day`, `week` (from Monday), `month`, or a duration. @default none: there is one list */
  readonly window?: WindowLength;
  /** Windows that are kept, this one included, up to 1,000. @default 24 */
  readonly keep?: number;
  /** Where days, weeks and months begin. @default "UTC" */
  readonly timeZone?: string;
  /** Without windows: the list expires this long after the last addition. @default "90d" */
  readonly ttl?: Duration;
  /** How long an `idempotencyKey` is remembered. @default "24h" */
  readonly idempotencyTtl?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

/** Windows, or one list without an end. */
export type TopKSpan =
  | { readonly windows: Windows; readonly keep: number }
  | { readonly windows: undefined; readonly ttlMs: number };

export interface TopKSettings {
  readonly k: number;
  readonly counters: number;
  readonly span: TopKSpan;
  readonly receiptTtlMs: number;
  readonly timeoutMs: number | undefined;
}

const MAX_K = 200;
/** A window's list is read in one command, of less than half a millisecond. */
const MAX_COUNTERS = 2_000;
const FEW_COUNTERS = 500;
const COUNTERS_FOR_EACH = 50;
const MAX_KEEP = 1_000;
const NAMES: OptionNames<TopKOptions> = {
  k: true,
  counters: true,
  window: true,
  keep: true,
  timeZone: true,
  ttl: true,
  idempotencyTtl: true,
  timeout: true,
};

export function topKSettings(where: string, given: TopKOptions | undefined): TopKSettings {
  return parseOptions(where, given, NAMES, (options) => {
    const { k = 10, idempotencyTtl = "24h", timeout } = options;
    wholeBetween("k", k, 1, MAX_K);
    const { counters = Math.min(Math.max(COUNTERS_FOR_EACH * k, FEW_COUNTERS), MAX_COUNTERS) } = options;
    return {
      k,
      counters: wholeBetween("counters", counters, k, MAX_COUNTERS),
      span: spanOf(options),
      receiptTtlMs: toMs("idempotencyTtl", idempotencyTtl),
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}

function spanOf({ window, keep, timeZone, ttl }: TopKOptions): TopKSpan {
  if (window !== undefined) {
    if (ttl !== undefined)
      throw new InvalidArgumentError("ttl", "nothing beside `window`: windows expire by `keep`", ttl);
    return { windows: windowsOf(window, timeZone), keep: wholeBetween("keep", keep ?? 24, 1, MAX_KEEP) };
  }
  for (const [name, value] of Object.entries({ keep, timeZone }))
    if (value !== undefined) throw new InvalidArgumentError(name, "nothing without `window`", value);
  return { windows: undefined, ttlMs: toMs("ttl", ttl ?? "90d") };
}
