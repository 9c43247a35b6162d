import { type Duration, toMs, toTimerMs } from "../base/options.ts";

export interface GeoOptions {
  /** A member ends this long after it was last added. @default "90d" */
  readonly ttl?: Duration;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface GeoSettings {
  readonly ttlMs: number;
  readonly timeoutMs: number | undefined;
}

export function geoSettings(options: GeoOptions): GeoSettings {
  return {
    ttlMs: toMs("ttl", options.ttl ?? "90d"),
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
  };
}
