import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export interface GeofenceOptions {
  /** An entity has left a fence only when it is so many metres outside, up to 10000. @default 0 */
  readonly margin?: number;
  /** An entity enters, or leaves, when it has been inside, or outside, for so long. @default 0 */
  readonly settle?: Duration;
  /** `dwell` is told when an entity has been inside for so long. @default never */
  readonly dwell?: Duration;
  /** What is known of an entity expires so long after it was last tracked. @default "7d" */
  readonly ttl?: Duration;
  /** Fences; one more is refused with status `limit`. @default 10_000 */
  readonly maxFences?: number;
  /** Whether transitions are also published to those who `subscribe`. @default false */
  readonly live?: boolean;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface GeofenceSettings {
  readonly margin: number;
  readonly settleMs: number;
  /** 0 for never. */
  readonly dwellMs: number;
  readonly ttlMs: number;
  readonly maxFences: number;
  readonly live: boolean;
  readonly timeoutMs: number | undefined;
}

const NAMES: OptionNames<GeofenceOptions> = {
  margin: true,
  settle: true,
  dwell: true,
  ttl: true,
  maxFences: true,
  live: true,
  timeout: true,
};
const MAX_MARGIN = 10_000;

export function geofenceSettings(name: string, given: GeofenceOptions | undefined): GeofenceSettings {
  return parseOptions(`geofence ${JSON.stringify(name)}`, given, NAMES, (options) => {
    const { margin = 0, settle = 0, dwell, ttl = "7d", maxFences = 10_000, live = false, timeout } = options;
    if (!(typeof margin === "number" && margin >= 0 && margin <= MAX_MARGIN))
      throw new InvalidArgumentError("margin", `metres from 0 to ${MAX_MARGIN}`, margin);
    if (typeof live !== "boolean") throw new InvalidArgumentError("live", "true or false", live);
    return {
      margin,
      settleMs: toMs("settle", settle, 0),
      dwellMs: dwell === undefined ? 0 : toMs("dwell", dwell),
      ttlMs: toMs("ttl", ttl),
      maxFences: wholeBetween("maxFences", maxFences, 1, 100_000),
      live,
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}
