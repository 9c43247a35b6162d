import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type WindowLength, type Windows, windowsOf } from "../core/window/windows.ts";

export interface UniquesOptions {
  /** Members are counted in windows of this length: `hour`, `day`, `week` (from Monday), `month`, or a duration. The same in all processes. @default "1d" */
  readonly window?: WindowLength;
  /** Windows that are kept, this one included, up to 10,000. @default 30 */
  readonly keep?: number;
  /** Where days, weeks and months begin. @default "UTC" */
  readonly timeZone?: string;
  /** Instead of windows: one count per id, which expires this long after the last addition. @default none */
  readonly ttl?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

/** Windows, or one count without an end for each id. */
export type UniquesSpan =
  | { readonly windows: Windows; readonly keep: number }
  | { readonly windows: undefined; readonly ttlMs: number };

export interface UniquesSettings {
  readonly span: UniquesSpan;
  readonly timeoutMs: number | undefined;
}

const MAX_KEEP = 10_000;
const NAMES: OptionNames<UniquesOptions> = { window: true, keep: true, timeZone: true, ttl: true, timeout: true };

export function uniquesSettings(where: string, given: UniquesOptions | undefined): UniquesSettings {
  return parseOptions(where, given, NAMES, (options) => ({
    span: spanOf(options),
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
  }));
}

function spanOf({ window, keep, timeZone, ttl }: UniquesOptions): UniquesSpan {
  if (ttl === undefined)
    return {
      windows: windowsOf(window ?? "1d", timeZone),
      keep: wholeBetween("keep", keep ?? 30, 1, MAX_KEEP),
    };
  for (const [name, value] of Object.entries({ window, keep, timeZone }))
    if (value !== undefined)
      throw new InvalidArgumentError(name, "nothing beside `ttl`, with which there are no windows", value);
  return { windows: undefined, ttlMs: toMs("ttl", ttl) };
}
