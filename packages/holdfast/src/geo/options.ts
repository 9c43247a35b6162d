import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";

export interface GeoOptions {
  /** A member expires this long after it was last added. @default "90d" */
  readonly ttl?: Duration;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface GeoSettings {
  readonly ttlMs: number;
  readonly timeoutMs: number | undefined;
}

const NAMES: OptionNames<GeoOptions> = { ttl: true, timeout: true };

export function geoSettings(name: string, given: GeoOptions | undefined): GeoSettings {
  return parseOptions(`geo ${JSON.stringify(name)}`, given, NAMES, ({ ttl = "90d", timeout }) => ({
    ttlMs: toMs("ttl", ttl),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  }));
}
