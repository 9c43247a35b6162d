import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import { Metas } from "./metas.ts";
import { type LeaderboardOrder, type LeaderboardSubscoreOptions, Scoring } from "./scores.ts";
import { type WindowsOptions, type WindowsSettings, windowsSettings } from "./windows/options.ts";

export type LeaderboardTies = "competition" | "dense" | "ordinal";

export interface LeaderboardOptions<Meta = unknown> extends WindowsOptions {
  /** Which scores are better: `desc` the high ones, `asc` the low ones. @default "desc" */
  readonly order?: LeaderboardOrder;
  /**
   * Ranks of equal scores: `competition` 1, 2, 2, 4; `dense` 1, 2, 2, 3; `ordinal` 1, 2, 3, 4, where the bytes of the
   * members' names decide. `dense` stores each distinct score once more. @default "competition"
   */
  readonly ties?: LeaderboardTies;
  /** A second whole number, which decides between equal scores; the same for the life of the board. @default none */
  readonly subscore?: LeaderboardSubscoreOptions;
  /** Whether something is stored with members, such as a name to show; with a Standard Schema, what. @default false */
  readonly meta?: boolean | StandardSchemaV1<unknown, Meta>;
  /** Bytes of one member's `meta`, as it is stored. @default 1024 */
  readonly maxMetaBytes?: number;
  /**
   * Boards in slots of their own which the members are spread over, 2 to 256, for one that is too large or too busy for one server; the same in
   * all processes for the life of the board. Not with `windows`, `ttl`, `idleTtl` and dense ranks. @default one board
   */
  readonly shards?: number;
  /** Members on the board; those with the worst scores fall off. With `shards` each of them has its share. @default 1_000_000 */
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

export interface LeaderboardSettings<Meta = unknown> {
  readonly desc: boolean;
  readonly ties: LeaderboardTies;
  readonly scoring: Scoring;
  /** Undefined where nothing is stored with members. */
  readonly metas: Metas<Meta> | undefined;
  /** Undefined without windows. */
  readonly windows: WindowsSettings | undefined;
  readonly shards: number;
  /** Of each shard. */
  readonly maxSize: number;
  /** 0 for none. */
  readonly ttlMs: number;
  /** Whether each write starts the time to live again. */
  readonly renew: boolean;
  readonly receiptTtlMs: number;
  readonly timeoutMs: number | undefined;
}

const MAX_SIZE = 2 ** 32 - 1;
const MAX_SHARDS = 256;
const MAX_META_BYTES = 65_536;
const TIES: readonly LeaderboardTies[] = ["competition", "dense", "ordinal"];

const NAMES: OptionNames<LeaderboardOptions> = {
  order: true,
  ties: true,
  subscore: true,
  meta: true,
  maxMetaBytes: true,
  windows: true,
  timeZone: true,
  archive: true,
  shards: true,
  maxSize: true,
  ttl: true,
  idleTtl: true,
  idempotencyTtl: true,
  timeout: true,
};

export function leaderboardSettings<Meta>(
  core: Core,
  where: string,
  name: string,
  given: LeaderboardOptions<Meta> | undefined,
): LeaderboardSettings<Meta> {
  return parseOptions(where, given, NAMES, (options) => {
    const { order = "desc", ties = "competition", meta = false, maxSize = 1_000_000, ttl, idleTtl } = options;
    if (order !== "desc" && order !== "asc") throw new InvalidArgumentError("order", '"desc" or "asc"', order);
    if (!TIES.includes(ties)) throw new InvalidArgumentError("ties", `one of ${TIES.join(", ")}`, ties);
    if (ttl !== undefined && idleTtl !== undefined)
      throw new InvalidArgumentError("idleTtl", "nothing beside `ttl`, which ends the board", idleTtl);
    if (options.maxMetaBytes !== undefined && meta === false)
      throw new InvalidArgumentError("maxMetaBytes", "nothing without `meta`", options.maxMetaBytes);
    const shards = options.shards === undefined ? 1 : shardsOf(options.shards, options);
    return {
      desc: order === "desc",
      ties,
      scoring: new Scoring(order, options.subscore),
      metas: metasOf(core, name, meta, wholeBetween("maxMetaBytes", options.maxMetaBytes ?? 1_024, 1, MAX_META_BYTES)),
      windows: windowsSettings(options),
      shards,
      maxSize: Math.ceil(wholeBetween("maxSize", maxSize, 1, MAX_SIZE) / shards),
      ttlMs: lifeMs(ttl, idleTtl),
      renew: idleTtl !== undefined,
      receiptTtlMs: toMs("idempotencyTtl", options.idempotencyTtl ?? "24h"),
      timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
    };
  });
}

function metasOf<Meta>(
  core: Core,
  name: string,
  meta: boolean | StandardSchemaV1<unknown, Meta>,
  maxBytes: number,
): Metas<Meta> | undefined {
  if (meta === false) return undefined;
  const schema = meta === true ? undefined : checkSchema(meta, "meta");
  const codec = core.codec<Meta>({ schema });
  return new Metas(codec, maxBytes, core.keys.group("leaderboard", name).key);
}

/** Refuses options that need a single board, or a single moment, when the board is sharded. */
function shardsOf(
  shards: number,
  { windows, ttl, idleTtl, ties }: Pick<LeaderboardOptions, "windows" | "ttl" | "idleTtl" | "ties">,
): number {
  const refused = { windows, ttl, idleTtl };
  for (const [name, value] of Object.entries(refused))
    if (value !== undefined)
      throw new InvalidArgumentError(name, "nothing beside `shards`, which it does not go with", value);
  if (ties === "dense")
    throw new InvalidArgumentError(
      "ties",
      "competition or ordinal beside `shards`, as no shard knows all scores",
      ties,
    );
  return wholeBetween("shards", shards, 2, MAX_SHARDS);
}

function lifeMs(ttl: Duration | undefined, idleTtl: Duration | undefined): number {
  if (ttl !== undefined) return toMs("ttl", ttl);
  return idleTtl === undefined ? 0 : toMs("idleTtl", idleTtl);
}
