import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export interface SessionsOptions<Data extends object> extends Omit<CodecOptions<unknown>, "schema"> {
  /** A session that is not used for this long expires. @default "30m" */
  readonly idleTimeout?: Duration;
  /** A session expires this long after it was created, however much it is used. @default "12h" */
  readonly absoluteTimeout?: Duration;
  /**
   * A use restarts the idle time only once this long has passed since the last restart, so most reads write nothing.
   * A session may therefore expire up to this long before its idle time is over. @default a tenth of idleTimeout, at most "1m"
   */
  readonly touchAfter?: Duration;
  /** Live sessions of one user, 1 to 1000. @default 100 */
  readonly maxPerUser?: number;
  /**
   * What a sign-in beyond `maxPerUser` does: evict the user's session that would expire first (as a rule the one unused
   * for longest), or be refused. @default "evict-oldest"
   */
  readonly onLimit?: "evict-oldest" | "reject";
  /** How long the id from before a rotation still opens the session, for requests in flight; 0: not at all. @default "5s" */
  readonly rotationGrace?: Duration;
  /** Checks `data` whenever it is written or read. @default none */
  readonly schema?: StandardSchemaV1<unknown, Data>;
  /** Deadline of each operation. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export const SESSIONS_OPTIONS: OptionNames<SessionsOptions<object>> = {
  ...CODEC_OPTIONS,
  idleTimeout: true,
  absoluteTimeout: true,
  touchAfter: true,
  maxPerUser: true,
  onLimit: true,
  rotationGrace: true,
  timeout: true,
};

export interface SessionSettings {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly touchMs: number;
  readonly maxPerUser: number;
  readonly evict: boolean;
  readonly graceMs: number;
  readonly timeoutMs: number | undefined;
}

const MAX_PER_USER = 1_000;
const MAX_DEFAULT_TOUCH_MS = 60_000;

export function sessionSettings<Data extends object>(options: SessionsOptions<Data>): SessionSettings {
  const idleMs = toMs("idleTimeout", options.idleTimeout ?? "30m");
  return {
    idleMs,
    absoluteMs: toMs("absoluteTimeout", options.absoluteTimeout ?? "12h"),
    touchMs: touchMs(options.touchAfter, idleMs),
    maxPerUser: wholeBetween("maxPerUser", options.maxPerUser ?? 100, 1, MAX_PER_USER),
    evict: evicts(options.onLimit ?? "evict-oldest"),
    graceMs: toMs("rotationGrace", options.rotationGrace ?? "5s", 0),
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
  };
}

function touchMs(given: Duration | undefined, idleMs: number): number {
  if (given === undefined) return Math.min(Math.floor(idleMs / 10), MAX_DEFAULT_TOUCH_MS);
  const ms = toMs("touchAfter", given, 0);
  if (ms < idleMs) return ms;
  throw new InvalidArgumentError(
    "touchAfter",
    "a duration shorter than idleTimeout, or no read can keep a session alive",
    given,
  );
}

function evicts(onLimit: string): boolean {
  if (onLimit === "evict-oldest" || onLimit === "reject") return onLimit === "evict-oldest";
  throw new InvalidArgumentError("onLimit", '"evict-oldest" or "reject"', onLimit);
}
