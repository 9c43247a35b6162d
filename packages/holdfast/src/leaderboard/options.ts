import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

export type LeaderboardOrder = "desc" | "asc";
export type LeaderboardTies = "competition" | "dense" | "ordinal";

export interface LeaderboardOptions {
  /** Which scores are better: `desc` the high ones, `asc` the low ones. @default "desc" */
  readonly order?: LeaderboardOrder;
  /**
   * Ranks of equal scores: `competition` 1, 2, 2, 4; `dense` 1, 2, 2, 3; `ordinal` 1, 2, 3, 4, where the bytes of the
   * members' names decide. `dense` stores each distinct score once more. @default "competition"
   */
  readonly ties?: LeaderboardTies;
  /** Members on the board; those with the worst scores fall off. @default 1_000_000 */
  readonly maxSize?: number;
  /** The board expires this long after its first entry. @default none */
  readonly ttl?: Duration;
  /** The board expires this long after its last write. @default none */
  readonly idleTtl?: Duration;
  /** How long an `idempotencyKey` is remembered. @default "24h" */
  readonly idempotencyTtl?: Duration;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface LeaderboardSettings {
  readonly desc: boolean;
  readonly ties: LeaderboardTies;
  readonly maxSize: number;
  /** 0 for none. */
  readonly ttlMs: number;
  /** Whether each write starts the time to live again. */
  readonly renew: boolean;
  readonly receiptTtlMs: number;
  readonly timeoutMs: number | undefined;
}

const MAX_SIZE = 2 ** 32 - 1;
const TIES: readonly LeaderboardTies[] = ["competition", "dense", "ordinal"];

const NAMES: OptionNames<LeaderboardOptions> = {
  order: true,
  ties: true,
  maxSize: true,
  ttl: true,
  idleTtl: true,
  idempotencyTtl: true,
  timeout: true,
};

export function leaderboardSettings(name: string, given: LeaderboardOptions | undefined): LeaderboardSettings {
  return parseOptions(`leaderboard ${JSON.stringify(name)}`, given, NAMES, (options) => {
    const { order = "desc", ties = "competition", maxSize = 1_000_000, ttl, idleTtl } = options;
    if (order !== "desc" && order !== "asc") throw new InvalidArgumentError("order", '"desc" or "asc"', order);
    if (!TIES.includes(ties)) throw new InvalidArgumentError("ties", `one of ${TIES.join(", ")}`, ties);
    if (ttl !== undefined && idleTtl !== undefined)
      throw new InvalidArgumentError("idleTtl", "nothing beside `ttl`, which ends the board", idleTtl);
    return {
      desc: order === "desc",
      ties,
      maxSize: wholeBetween("maxSize", maxSize, 1, MAX_SIZE),
      ttlMs: lifeMs(ttl, idleTtl),
      renew: idleTtl !== undefined,
      receiptTtlMs: toMs("idempotencyTtl", options.idempotencyTtl ?? "24h"),
      timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
    };
  });
}

function lifeMs(ttl: Duration | undefined, idleTtl: Duration | undefined): number {
  if (ttl !== undefined) return toMs("ttl", ttl);
  return idleTtl === undefined ? 0 : toMs("idleTtl", idleTtl);
}

/** Scores are doubles: exact for whole numbers up to 2^53 - 1, about 16 digits for fractions. */
export function checkScore(field: string, value: number): number {
  if (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw new InvalidArgumentError(field, "a number within ±(2^53 - 1)", value);
}
