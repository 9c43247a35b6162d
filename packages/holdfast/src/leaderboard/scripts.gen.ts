// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeFloat, decodeInt, decodeList, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeFloat, encodeInt } from "../core/script/encode.ts";
import type { Script } from "../core/script/script.ts";

const RANKS = `local function countBetter(key, score, desc)
  if desc then return redis.call('ZCOUNT', key, '(' .. score, '+inf') end
  return redis.call('ZCOUNT', key, '-inf', '(' .. score)
end
local function countDistinctBetter(board, distinct, score, desc)
  if redis.call('EXISTS', distinct) == 0 then
    error({err = 'ERR the board was begun without dense ranks; the next write of a handle with dense ranks adds them'})
  end
  return countBetter(distinct, score, desc)
end
local function rankOf(board, distinct, ties, desc, member, score)
  if ties == 'ordinal' then return 1 + redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member) end
  if ties == 'dense' then return 1 + countDistinctBetter(board, distinct, score, desc) end
  return 1 + countBetter(board, score, desc)
end
local function window(board, distinct, ties, desc, offset, limit)
  local rows = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, offset, offset + limit - 1, 'WITHSCORES')
  local rank = #rows > 0 and rankOf(board, distinct, ties, desc, rows[1], rows[2]) or 0
  return {'window', redis.call('ZCARD', board), offset + 1, rank, rows}
end
`;

const BOARD = `local MAX_SCORE = 9007199254740991
local MAX_INDEXED = 10000
local MAX_TRIMMED = 1000
local function textOf(score)
  return string.format('%.17g', tonumber(score))
end
local function index(board, distinct)
  if redis.call('ZCARD', board) > MAX_INDEXED then
    error({err = 'ERR the board was begun without dense ranks and is too large to add them'})
  end
  local rows = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
  for at = 2, #rows, 2 do redis.call('ZADD', distinct, rows[at], textOf(rows[at])) end
end
local function isIndexed(board, distinct, dense)
  if redis.call('EXISTS', distinct) == 1 then
    if redis.call('EXISTS', board) == 1 then return true end
    redis.call('DEL', distinct)
  elseif dense then
    index(board, distinct)
  end
  return dense
end
local function forget(board, distinct, before)
  if redis.call('ZCOUNT', board, before, before) == 0 then redis.call('ZREM', distinct, textOf(before)) end
end
local function put(board, distinct, indexed, member, score, before)
  local text = textOf(score)
  redis.call('ZADD', board, text, member)
  if not indexed then return end
  redis.call('ZADD', distinct, text, text)
  if before then forget(board, distinct, before) end
end
local function add(board, distinct, indexed, member, by)
  local before = redis.call('ZSCORE', board, member)
  local sum = (tonumber(before) or 0) + by
  if math.abs(sum) > MAX_SCORE then return false end
  put(board, distinct, indexed, member, sum, before)
  return textOf(sum)
end
local function trim(board, distinct, indexed, maxSize, desc)
  local excess = math.min(redis.call('ZCARD', board) - maxSize, MAX_TRIMMED)
  if excess <= 0 then return false end
  local worst = desc and 0 or -1
  redis.call('ZREMRANGEBYRANK', board, desc and 0 or -excess, desc and excess - 1 or -1)
  if indexed then
    local bound = '(' .. redis.call('ZRANGE', board, worst, worst, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYSCORE', distinct, desc and '-inf' or bound, desc and bound or '+inf')
  end
  return true
end
local function expire(board, distinct, indexed, ttlMs, renew)
  if ttlMs == 0 then return end
  if renew then redis.call('PEXPIRE', board, ttlMs) else redis.call('PEXPIRE', board, ttlMs, 'NX') end
  local at = indexed and redis.call('PEXPIRETIME', board) or 0
  if at > 0 then redis.call('PEXPIREAT', distinct, at) end
end
local function settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
  local trimmed = trim(board, distinct, indexed, maxSize, desc)
  expire(board, distinct, indexed, ttlMs, renew)
  return trimmed
end
`;

export interface AroundKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface AroundArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly distance: number;
  readonly member: Arg;
}

export type AroundResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[] }
  | { readonly status: "missing" };

/** A member and up to `distance` entries on either side. */
export const around: Script<AroundKeys, AroundArgs, AroundResult> = {
  class: "read",
  name: "leaderboard.around",
  sha1: "b3c4b8a08f23dd2498853e5ff5bd0bab3b94ae35",
  lua: `-- leaderboard.around
${RANKS}local board, distinct = KEYS[1], KEYS[2]
local ties, desc, distance, member = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4]
local before = redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member)
if not before then return 'missing' end
local offset = math.max(0, before - distance)
return window(board, distinct, ties, desc, offset, before - offset + distance + 1)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeInt("distance", args.distance), args.member);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 4);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of window, missing", reply);
    }
  },
};

export interface BestKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface BestArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** score and member, alternating */
  readonly entries: readonly Arg[];
}

export type BestResult = { readonly improved: boolean; readonly score: number; readonly previous: number | null }[];

/** Sets the scores of members where they are better than what they have. */
export const best: Script<BestKeys, BestArgs, BestResult> = {
  class: "unsafe",
  name: "leaderboard.best",
  sha1: "b6391601459c68d6d7bb23b50baf416e9b0a9ff8",
  lua: `-- leaderboard.best
${BOARD}local board, distinct = KEYS[1], KEYS[2]
local maxSize, desc, dense, ttlMs, renew = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1'
local entries = {}
for i = 6, #ARGV do entries[i - 5] = ARGV[i] end
local indexed = isIndexed(board, distinct, dense)
local rows = {}
for at = 2, #entries, 2 do
  local member, score = entries[at], tonumber(entries[at - 1])
  local before = redis.call('ZSCORE', board, member)
  local gain = before and score - before or 0
  local improved = not before or gain > 0 and desc or gain < 0 and not desc
  if improved then put(board, distinct, indexed, member, score, before) end
  rows[#rows + 1] = improved
  rows[#rows + 1] = improved and textOf(score) or before
  rows[#rows + 1] = before
end
if settle(board, distinct, indexed, maxSize, desc, ttlMs, renew) then
  for at = 2, #entries, 2 do
    if not redis.call('ZSCORE', board, entries[at]) then rows[at / 2 * 3 - 2] = false end
  end
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeRows(reply, 3, (flat, at) => ({ improved: decodeBool(flat[at]), score: decodeFloat(flat[at + 1]), previous: decodeOptional(flat[at + 2], decodeFloat) }));
  },
};

export interface IncrementOnceKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly receipt: Arg;
}

export interface IncrementOnceArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  readonly receiptTtlMs: number;
  readonly by: number;
  readonly member: Arg;
}

export type IncrementOnceResult = number | null;

/**
 * Adds to a score unless `receipt` shows that it was done; then returns what the first time returned.
 * A refusal (nil) leaves no receipt: it changed nothing, so a repeat is decided again.
 */
export const incrementOnce: Script<IncrementOnceKeys, IncrementOnceArgs, IncrementOnceResult> = {
  class: "dedupable",
  name: "leaderboard.incrementOnce",
  sha1: "260c9be372718086d312090dce3544ca7bf43042",
  lua: `-- leaderboard.incrementOnce
${BOARD}local board, distinct, receipt = KEYS[1], KEYS[2], KEYS[3]
local maxSize, desc, dense, ttlMs, renew, receiptTtlMs, by, member = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local done = redis.call('GET', receipt)
if done then return done end
local indexed = isIndexed(board, distinct, dense)
local sum = add(board, distinct, indexed, member, by)
if not sum then return false end
redis.call('SET', receipt, sum, 'PX', receiptTtlMs)
settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
return sum
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), encodeInt("receiptTtlMs", args.receiptTtlMs), encodeFloat("by", args.by), args.member);
  },
  decode(reply) {
    return decodeOptional(reply, decodeFloat);
  },
};

export interface IncrementKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface IncrementArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** what to add and member, alternating */
  readonly entries: readonly Arg[];
}

export type IncrementResult = (number | null)[];

/** Adds to scores; nil for a sum beyond 2^53 - 1, which is not stored. */
export const increment: Script<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "leaderboard.increment",
  sha1: "d1c8a216cf4b920ce59a5b24e97789f51191e1d1",
  lua: `-- leaderboard.increment
${BOARD}local board, distinct = KEYS[1], KEYS[2]
local maxSize, desc, dense, ttlMs, renew = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1'
local entries = {}
for i = 6, #ARGV do entries[i - 5] = ARGV[i] end
local indexed = isIndexed(board, distinct, dense)
local sums = {}
for at = 2, #entries, 2 do
  sums[at / 2] = add(board, distinct, indexed, entries[at], tonumber(entries[at - 1]))
end
settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
return sums
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeFloat));
  },
};

export interface PageKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface PageArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly offset: number;
  readonly limit: number;
}

export type PageResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[] };

/** A part of the board by position. */
export const page: Script<PageKeys, PageArgs, PageResult> = {
  class: "read",
  name: "leaderboard.page",
  sha1: "4f8a4b63bc2f6f9b9a692b051834acee455b62d6",
  lua: `-- leaderboard.page
${RANKS}local board, distinct = KEYS[1], KEYS[2]
local ties, desc, offset, limit = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
return window(board, distinct, ties, desc, offset, limit)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeInt("offset", args.offset), encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 4);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })) };
      default:
        throw new UnexpectedReplyError("one of window", reply);
    }
  },
};

export interface RemoveKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface RemoveArgs {
  readonly members: readonly Arg[];
}

export type RemoveResult = boolean[];

/** Removes members; true for each that was on it. */
export const remove: Script<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "leaderboard.remove",
  sha1: "236bcba5897c72871a26322f1408022f85ad4bbe",
  lua: `-- leaderboard.remove
${BOARD}local board, distinct = KEYS[1], KEYS[2]
local members = ARGV
local indexed = isIndexed(board, distinct, false)
local removed = {}
for at, member in ipairs(members) do
  local before = redis.call('ZSCORE', board, member)
  removed[at] = before ~= false
  if before then redis.call('ZREM', board, member) end
  if before and indexed then forget(board, distinct, before) end
end
return removed
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeBool);
  },
};

export interface SetKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface SetArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** score and member, alternating */
  readonly entries: readonly Arg[];
}

export type SetResult = boolean[];

/** Sets the scores of members; false for each that fell off a full board. */
export const set: Script<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "leaderboard.set",
  sha1: "4a2ade133964c7ed195975d3d550c5ee40525f03",
  lua: `-- leaderboard.set
${BOARD}local board, distinct = KEYS[1], KEYS[2]
local maxSize, desc, dense, ttlMs, renew = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1'
local entries = {}
for i = 6, #ARGV do entries[i - 5] = ARGV[i] end
local indexed = isIndexed(board, distinct, dense)
local members, kept = {}, {}
for at = 2, #entries, 2 do members[at / 2], kept[at / 2] = entries[at], true end
if indexed then
  for at, member in ipairs(members) do
    put(board, distinct, true, member, entries[at * 2 - 1], redis.call('ZSCORE', board, member))
  end
else
  redis.call('ZADD', board, unpack(entries))
end
if settle(board, distinct, indexed, maxSize, desc, ttlMs, renew) then
  for at, score in ipairs(redis.call('ZMSCORE', board, unpack(members))) do kept[at] = score ~= false end
end
return kept
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeBool);
  },
};

export interface StandingsKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface StandingsArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly members: readonly Arg[];
}

export type StandingsResult =
  | { readonly status: "standings"; readonly total: number; readonly rows: { readonly score: number | null; readonly rank: number; readonly worse: number; readonly equal: number }[] };

/** Where members stand: score (nil for one that is not on the board), rank, and how many others are worse and equal. */
export const standings: Script<StandingsKeys, StandingsArgs, StandingsResult> = {
  class: "read",
  name: "leaderboard.standings",
  sha1: "a07fa2891a7e90d9244859b8f18932c78f7b85e7",
  lua: `-- leaderboard.standings
${RANKS}local board, distinct = KEYS[1], KEYS[2]
local ties, desc = ARGV[1], ARGV[2] == '1'
local members = {}
for i = 3, #ARGV do members[i - 2] = ARGV[i] end
local total = redis.call('ZCARD', board)
local rows = {}
for _, member in ipairs(members) do
  local score = redis.call('ZSCORE', board, member)
  local rank, worse, equal = 0, 0, 0
  if score then
    rank = rankOf(board, distinct, ties, desc, member, score)
    worse = countBetter(board, score, not desc)
    equal = total - worse - countBetter(board, score, desc) - 1
  end
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = score, rank, worse, equal
end
return {'standings', total, rows}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc));
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "standings":
        expectFields(fields, 2);
        return { status: "standings", total: decodeInt(fields[1]), rows: decodeRows(fields[2], 4, (flat, at) => ({ score: decodeOptional(flat[at], decodeFloat), rank: decodeInt(flat[at + 1]), worse: decodeInt(flat[at + 2]), equal: decodeInt(flat[at + 3]) })) };
      default:
        throw new UnexpectedReplyError("one of standings", reply);
    }
  },
};
