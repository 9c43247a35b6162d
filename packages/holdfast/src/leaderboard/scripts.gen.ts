// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeFloat, decodeInt, decodeList, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeFloat, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

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
local function metaOf(meta, described, rows)
  if not described or #rows == 0 then return {} end
  local members = {}
  for at = 1, #rows, 2 do members[#members + 1] = rows[at] end
  return redis.call('HMGET', meta, unpack(members))
end
local function window(board, distinct, meta, ties, desc, described, total, offset, limit)
  local rows = limit > 0 and redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, offset, offset + limit - 1, 'WITHSCORES') or {}
  local rank = #rows > 0 and rankOf(board, distinct, ties, desc, rows[1], rows[2]) or 0
  return {'window', total, offset + 1, rank, rows, metaOf(meta, described, rows)}
end
`;

const NOW = `local clockMicros
local function nowMicros()
  if not clockMicros then
    local clock = redis.call('TIME')
    clockMicros = clock[1] * 1000000 + clock[2]
  end
  return clockMicros
end
local function now()
  return math.floor(nowMicros() / 1000)
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
local function open(board, distinct, meta, dense)
  local b = {board = board, distinct = distinct, meta = meta, indexed = dense, described = false}
  local companions = meta and redis.call('EXISTS', distinct, meta) or redis.call('EXISTS', distinct)
  if companions == 0 then
    if dense then index(board, distinct) end
  elseif redis.call('EXISTS', board) == 0 then
    redis.call('UNLINK', distinct, meta or distinct)
  else
    b.described = meta ~= nil and redis.call('EXISTS', meta) == 1
    if companions == 2 or not b.described then b.indexed = true
    elseif dense then index(board, distinct) end
  end
  return b
end
local function forget(b, before)
  if redis.call('ZCOUNT', b.board, before, before) == 0 then redis.call('ZREM', b.distinct, textOf(before)) end
end
local function put(b, member, score, before)
  local text = textOf(score)
  redis.call('ZADD', b.board, text, member)
  if b.indexed then
    redis.call('ZADD', b.distinct, text, text)
    if before then forget(b, before) end
  end
  return text
end
local function drop(b, first, last)
  local low, high
  if b.indexed then
    low = redis.call('ZRANGE', b.board, first, first, 'WITHSCORES')[2]
    high = redis.call('ZRANGE', b.board, last, last, 'WITHSCORES')[2]
  end
  if b.described then redis.call('HDEL', b.meta, unpack(redis.call('ZRANGE', b.board, first, last))) end
  local removed = redis.call('ZREMRANGEBYRANK', b.board, first, last)
  if low then
    redis.call('ZREMRANGEBYSCORE', b.distinct, '(' .. low, '(' .. high)
    forget(b, low)
    forget(b, high)
  end
  return removed
end
local function trim(b, keep, desc, most)
  local total = redis.call('ZCARD', b.board)
  local excess = math.min(total - keep, most)
  if excess <= 0 then return 0 end
  if desc then return drop(b, 0, excess - 1) end
  return drop(b, total - excess, total - 1)
end
`;

const WRITES = `local function boardsOf(board, distinct, meta, dense, windows, periods)
  local all = {}
  if windows ~= '' then
    local first, last, rest = string.match(windows, '^(%d+) (%d+);(.*)$')
    if now() < tonumber(first) or now() >= tonumber(last) then return nil end
    local at = 1
    for from, to, expiresAt in string.gmatch(rest, '(%d+) (%d+) (%d+);') do
      if now() >= tonumber(from) and now() < tonumber(to) then
        local b = open(periods[at], periods[at + 1], nil, dense)
        b.expiresAt, b.isNew = expiresAt, redis.call('EXISTS', b.board) == 0
        all[#all + 1] = b
      end
      at = at + 2
    end
  end
  table.insert(all, 1, open(board, distinct, meta, dense))
  return all
end
local function subscoreOf(score, unit)
  local rest = math.fmod(score, unit)
  return rest < 0 and rest + unit or rest
end
local function sumOf(score, by, unit, subscore)
  local value = tonumber(score) or 0
  if subscore then value = value - subscoreOf(value, unit) + subscore end
  local sum = value + by
  return math.abs(sum) <= MAX_SCORE and sum
end
local function add(all, member, by, unit, subscore)
  if #all == 1 then
    local score = redis.call('ZSCORE', all[1].board, member)
    local sum = sumOf(score, by, unit, subscore)
    return sum and put(all[1], member, sum, score)
  end
  local sums, before, texts = {}, {}, {}
  for at, b in ipairs(all) do
    before[at] = redis.call('ZSCORE', b.board, member)
    sums[at] = sumOf(before[at], by, unit, subscore)
    if not sums[at] then return false end
  end
  for at, b in ipairs(all) do texts[at] = put(b, member, sums[at], before[at]) end
  return texts[1]
end
local function describe(b, member, bytes)
  if redis.call('ZSCORE', b.board, member) then
    redis.call('HSET', b.meta, member, bytes)
    b.described = true
  end
end
local function expire(b, ttlMs, renew)
  if b.expiresAt then
    if b.isNew then redis.call('PEXPIREAT', b.board, b.expiresAt) end
    if b.indexed then redis.call('PEXPIREAT', b.distinct, b.expiresAt) end
    return
  end
  if ttlMs == 0 then return end
  if renew then redis.call('PEXPIRE', b.board, ttlMs) else redis.call('PEXPIRE', b.board, ttlMs, 'NX') end
  local at = (b.indexed or b.described) and redis.call('PEXPIRETIME', b.board) or 0
  if at > 0 and b.indexed then redis.call('PEXPIREAT', b.distinct, at) end
  if at > 0 and b.described then redis.call('PEXPIREAT', b.meta, at) end
end
local function settle(all, maxSize, desc, ttlMs, renew, described)
  local isTrimmed, isOpened = false, false
  for at, b in ipairs(all) do
    local trimmed = trim(b, maxSize, desc, MAX_TRIMMED)
    if at == 1 then
      isTrimmed = trimmed > 0
      for place = 1, #described, 2 do describe(b, described[place], described[place + 1]) end
    end
    isOpened = isOpened or b.isNew or false
    expire(b, ttlMs, renew)
  end
  return isTrimmed, isOpened
end
`;

export interface AroundKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface AroundArgs {
  readonly ties: string;
  readonly desc: boolean;
  /** whether what is stored with members is asked for */
  readonly described: boolean;
  readonly distance: number;
  readonly member: Arg;
}

export type AroundResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[]; readonly metas: (Buffer | null)[] }
  | { readonly status: "missing" };

/** A member and up to `distance` entries on either side. */
export const around: Script<AroundKeys, AroundArgs, AroundResult> = {
  class: "read",
  name: "leaderboard.around",
  sha1: "51ec5388010ad5ccdfa281fa9933b16aba22c15c",
  lua: `-- leaderboard.around
${RANKS}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local ties, desc, described, distance, member = ARGV[1], ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5]
local before = redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member)
if not before then return 'missing' end
local offset = math.max(0, before - distance)
local total = redis.call('ZCARD', board)
return window(board, distinct, meta, ties, desc, described, total, offset, before - offset + distance + 1)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeBool(args.described), encodeInt("distance", args.distance), args.member);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 5);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })), metas: decodeList(fields[5], (part) => decodeOptional(part, decodeBytes)) };
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
  readonly meta: Arg;
  /** of the windows: board and distinct, alternating */
  readonly periods: readonly Arg[];
}

export interface BestArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** which times the periods are; empty without windows */
  readonly windows: string;
  /** score, member and, where it is not empty, what to store with it if it is better */
  readonly entries: readonly Arg[];
}

export type BestResult =
  | { readonly status: "ok"; readonly rows: { readonly improved: boolean; readonly score: number; readonly previous: number | null }[]; readonly opened: boolean }
  | { readonly status: "stale"; readonly at: number };

/** Sets the scores of members where they are better than what they have. `stale`: the server's time is not one that `windows` is for. */
export const best: Script<BestKeys, BestArgs, BestResult> = {
  class: "unsafe",
  name: "leaderboard.best",
  sha1: "68f229148a251bec7f0ff8142b93098aa504cde2",
  lua: `-- leaderboard.best
${NOW}${BOARD}${WRITES}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local periods = {}
for i = 4, #KEYS do periods[i - 3] = KEYS[i] end
local maxSize, desc, dense, ttlMs, renew, windows = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6]
local entries = {}
for i = 7, #ARGV do entries[i - 6] = ARGV[i] end
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local rows, described = {}, {}
for at = 1, #entries, 3 do
  local score, member, bytes = tonumber(entries[at]), entries[at + 1], entries[at + 2]
  for place, b in ipairs(all) do
    local before = redis.call('ZSCORE', b.board, member)
    local gain = before and score - before or 0
    local improved = not before or gain > 0 and desc or gain < 0 and not desc
    local text = improved and put(b, member, score, before) or before
    if place == 1 then
      local row = #rows
      rows[row + 1], rows[row + 2], rows[row + 3] = improved, text, before
      if improved and bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
    end
  end
end
local isTrimmed, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
if isTrimmed then
  for at = 1, #entries, 3 do
    if not redis.call('ZSCORE', board, entries[at + 1]) then rows[at] = false end
  end
end
return {'ok', rows, isOpened}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
    for (const each of keys.periods) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), args.windows);
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", rows: decodeRows(fields[1], 3, (flat, at) => ({ improved: decodeBool(flat[at]), score: decodeFloat(flat[at + 1]), previous: decodeOptional(flat[at + 2], decodeFloat) })), opened: decodeBool(fields[2]) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface ClaimClosingKeys {
  readonly due: Arg;
}

export interface ClaimClosingArgs {
  readonly leaseMs: number;
}

export type ClaimClosingResult = string[];

/** Takes a period that was closed, for a time: nobody else is told of it meanwhile, and somebody is again if this process dies. */
export const claimClosing: Script<ClaimClosingKeys, ClaimClosingArgs, ClaimClosingResult> = {
  class: "idempotent",
  name: "leaderboard.claimClosing",
  sha1: "8b75ab23f3a1bbe64cd188ad4185e4a287cc007e",
  lua: `-- leaderboard.claimClosing
${NOW}local due = KEYS[1]
local leaseMs = tonumber(ARGV[1])
local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now(), 'LIMIT', 0, 1)
if ids[1] then redis.call('ZADD', due, now() + leaseMs, ids[1]) end
return ids
`,
  encodeKeys(keys, out) {
    out.push(keys.due);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface CloseKeys {
  /** of the period */
  readonly board: Arg;
  /** sorted set: the best of it */
  readonly archive: Arg;
  /** string: how many there were */
  readonly counted: Arg;
  /** sorted set: periods that were closed, by the time (ms) from which on neither they nor their archives are there */
  readonly closed: Arg;
  /** sorted set: those of which nobody has been told yet, by the time (ms) from which on somebody is to be */
  readonly due: Arg;
}

export interface CloseArgs {
  readonly id: string;
  /** the end of the period, ms */
  readonly to: number;
  readonly desc: boolean;
  readonly top: number;
  readonly keepMs: number;
}

export type CloseResult =
  | { readonly status: "ok" }
  | { readonly status: "empty" }
  | { readonly status: "early" };

/** Keeps the best of a period that is over, once, and lets whoever waits for it know. `early`: it is not over by the server's clock. */
export const close: Script<CloseKeys, CloseArgs, CloseResult> = {
  class: "idempotent",
  name: "leaderboard.close",
  sha1: "079092c8d1e2bed20ac4c25f57015d7df9690537",
  lua: `-- leaderboard.close
${NOW}local board, archive, counted, closed, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, to, desc, top, keepMs = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])
local MAX_DUE = 1000
if now() < to then return {'early'} end
local isKept = redis.call('EXISTS', archive) == 1
local isClosed = redis.call('ZSCORE', closed, id) ~= false
if isKept then return {'ok'} end
local total = redis.call('ZCARD', board)
if total == 0 then return {isClosed and 'ok' or 'empty'} end
local expiresAt = now() + keepMs
if desc then redis.call('ZRANGESTORE', archive, board, 0, top - 1, 'REV') else redis.call('ZRANGESTORE', archive, board, 0, top - 1) end
redis.call('PEXPIREAT', archive, expiresAt)
redis.call('SET', counted, total, 'PXAT', expiresAt)
if isClosed then return {'ok'} end
redis.call('ZREMRANGEBYSCORE', closed, '-inf', now() - 1)
redis.call('ZADD', closed, math.max(expiresAt, redis.call('PEXPIRETIME', board)), id)
redis.call('ZADD', due, now(), id)
redis.call('ZREMRANGEBYRANK', due, 0, -1 - MAX_DUE)
redis.call('PEXPIREAT', closed, tonumber(redis.call('ZREVRANGE', closed, 0, 0, 'WITHSCORES')[2]))
redis.call('PEXPIREAT', due, expiresAt)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.archive, keys.counted, keys.closed, keys.due);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("to", args.to), encodeBool(args.desc), encodeInt("top", args.top), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "empty":
        expectFields(fields, 0);
        return { status: "empty" };
      case "early":
        expectFields(fields, 0);
        return { status: "early" };
      default:
        throw new UnexpectedReplyError("one of ok, empty, early", reply);
    }
  },
};

export interface HoldClosingKeys {
  readonly due: Arg;
}

export interface HoldClosingArgs {
  readonly id: string;
  readonly leaseMs: number;
}

export type HoldClosingResult = boolean;

/** Puts off the time from which on another process is told of a closed period; false if one has been told. */
export const holdClosing: Script<HoldClosingKeys, HoldClosingArgs, HoldClosingResult> = {
  class: "idempotent",
  name: "leaderboard.holdClosing",
  sha1: "e514a01223e602c9c09e361f084bf7cfea40c8b9",
  lua: `-- leaderboard.holdClosing
${NOW}local due = KEYS[1]
local id, leaseMs = ARGV[1], tonumber(ARGV[2])
if not redis.call('ZSCORE', due, id) then return false end
redis.call('ZADD', due, now() + leaseMs, id)
return true
`,
  encodeKeys(keys, out) {
    out.push(keys.due);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeBool(reply);
  },
};

export interface IncrementOnceKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
  readonly receipt: Arg;
  /** of the windows: board and distinct, alternating */
  readonly periods: readonly Arg[];
}

export interface IncrementOnceArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** which times the periods are; empty without windows */
  readonly windows: string;
  readonly receiptTtlMs: number;
  /** what 1 of a score is where there are subscores */
  readonly unit: number;
  readonly by: number;
  readonly member: Arg;
  /** what to store with it; empty: as it is */
  readonly bytes: Arg;
  /** empty: as it is */
  readonly subscore: string;
}

export type IncrementOnceResult =
  | { readonly status: "ok"; readonly sum: number | null; readonly opened: boolean }
  | { readonly status: "stale"; readonly at: number };

/**
 * Adds to a score unless `receipt` shows that it was done; then returns what the first time returned.
 * A refusal (nil) leaves no receipt: it changed nothing, so a repeat is decided again. `stale`: the server's time is not one that `windows` is for.
 */
export const incrementOnce: Script<IncrementOnceKeys, IncrementOnceArgs, IncrementOnceResult> = {
  class: "dedupable",
  name: "leaderboard.incrementOnce",
  sha1: "bbc4b167890d424825557e6e6e3b28abf4a08af4",
  lua: `-- leaderboard.incrementOnce
${NOW}${BOARD}${WRITES}local board, distinct, meta, receipt = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local periods = {}
for i = 5, #KEYS do periods[i - 4] = KEYS[i] end
local maxSize, desc, dense, ttlMs, renew, windows, receiptTtlMs, unit, by, member, bytes, subscore = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10], ARGV[11], ARGV[12]
local done = redis.call('GET', receipt)
if done then return {'ok', done, false} end
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local sum = add(all, member, by, unit, tonumber(subscore))
if not sum then return {'ok', false, false} end
redis.call('SET', receipt, sum, 'PX', receiptTtlMs)
local _, isOpened = settle(all, maxSize, desc, ttlMs, renew, bytes ~= '' and {member, bytes} or {})
return {'ok', sum, isOpened}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta, keys.receipt);
    for (const each of keys.periods) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), args.windows, encodeInt("receiptTtlMs", args.receiptTtlMs), encodeInt("unit", args.unit), encodeFloat("by", args.by), args.member, args.bytes, args.subscore);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", sum: decodeOptional(fields[1], decodeFloat), opened: decodeBool(fields[2]) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface IncrementKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
  /** of the windows: board and distinct, alternating */
  readonly periods: readonly Arg[];
}

export interface IncrementArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** which times the periods are; empty without windows */
  readonly windows: string;
  /** what 1 of a score is where there are subscores */
  readonly unit: number;
  /** what to add, member, what to store with it and its subscore; those are empty where they stay as they are */
  readonly entries: readonly Arg[];
}

export type IncrementResult =
  | { readonly status: "ok"; readonly sums: (number | null)[]; readonly opened: boolean }
  | { readonly status: "stale"; readonly at: number };

/** Adds to scores; nil for a sum beyond 2^53 - 1, which is not stored. `stale`: the server's time is not one that `windows` is for. */
export const increment: Script<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "leaderboard.increment",
  sha1: "20a895ca47590f899099ca9f0f284cf8f7072dd6",
  lua: `-- leaderboard.increment
${NOW}${BOARD}${WRITES}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local periods = {}
for i = 4, #KEYS do periods[i - 3] = KEYS[i] end
local maxSize, desc, dense, ttlMs, renew, windows, unit = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6], tonumber(ARGV[7])
local entries = {}
for i = 8, #ARGV do entries[i - 7] = ARGV[i] end
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local sums, described = {}, {}
for at = 1, #entries, 4 do
  local member, bytes = entries[at + 1], entries[at + 2]
  local sum = add(all, member, tonumber(entries[at]), unit, tonumber(entries[at + 3]))
  sums[#sums + 1] = sum
  if sum and bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
end
local _, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
return {'ok', sums, isOpened}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
    for (const each of keys.periods) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), args.windows, encodeInt("unit", args.unit));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", sums: decodeList(fields[1], (part) => decodeOptional(part, decodeFloat)), opened: decodeBool(fields[2]) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface PageKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface PageArgs {
  readonly ties: string;
  readonly desc: boolean;
  /** whether what is stored with members is asked for */
  readonly described: boolean;
  /** as ZCOUNT takes it; empty: the whole board */
  readonly low: string;
  readonly high: string;
  /** what is better than the range, as ZCOUNT takes its end */
  readonly better: string;
  readonly offset: number;
  readonly limit: number;
}

export type PageResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[]; readonly metas: (Buffer | null)[] };

/** A part of the board by position, or of the part of it whose scores lie in a range; `total` is of that part. */
export const page: Script<PageKeys, PageArgs, PageResult> = {
  class: "read",
  name: "leaderboard.page",
  sha1: "6054e696bcb9ffeb70559228651dd83dfb2fffb6",
  lua: `-- leaderboard.page
${RANKS}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local ties, desc, described, low, high, better, offset, limit = ARGV[1], ARGV[2] == '1', ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
if low == '' then
  return window(board, distinct, meta, ties, desc, described, redis.call('ZCARD', board), offset, limit)
end
local count = redis.call('ZCOUNT', board, low, high)
local before = redis.call('ZCOUNT', board, desc and better or '-inf', desc and '+inf' or better)
return window(board, distinct, meta, ties, desc, described, count, before + offset, math.min(limit, math.max(count - offset, 0)))
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeBool(args.described), args.low, args.high, args.better, encodeInt("offset", args.offset), encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 5);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })), metas: decodeList(fields[5], (part) => decodeOptional(part, decodeBytes)) };
      default:
        throw new UnexpectedReplyError("one of window", reply);
    }
  },
};

export interface PlaceKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface PlaceArgs {
  readonly desc: boolean;
  /** whether what is stored with members is asked for */
  readonly described: boolean;
  readonly member: Arg;
  readonly score: string;
  /** whether the place among equal scores is asked for, by the bytes of the names */
  readonly exact: boolean;
  /** 0: no entries */
  readonly distance: number;
}

export type PlaceResult =
  | { readonly status: "place"; readonly total: number; readonly better: number; readonly worse: number; readonly before: number; readonly rows: { readonly member: string; readonly score: number }[]; readonly metas: (Buffer | null)[] };

/**
 * Where a member with this score stands among the members of this board, on which it need not be, and up to `distance` entries on either
 * side of that place: for a board that is spread over several.
 */
export const place: BatchScript<PlaceKeys, PlaceArgs, PlaceResult> = {
  class: "read",
  name: "leaderboard.place",
  sha1: "025bc9801d2efe0f58f08ec54f371e9f8a54abf1",
  lua: `-- leaderboard.place
${RANKS}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local desc, described, member, score, exact, distance = ARGV[1] == '1', ARGV[2] == '1', ARGV[3], ARGV[4], ARGV[5] == '1', tonumber(ARGV[6])
local function isBelow(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local total = redis.call('ZCARD', board)
local better, worse = countBetter(board, score, desc), countBetter(board, score, not desc)
local before = 0
if exact then
  local low = desc and worse or better
  local first, high = low, total - (desc and better or worse)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBelow(redis.call('ZRANGE', board, middle, middle)[1], member) then low = middle + 1 else high = middle end
  end
  before = low - first
  if desc then
    local ties = total - better - worse - before
    if redis.call('ZRANGE', board, low, low)[1] == member then ties = ties - 1 end
    before = ties
  end
end
local rows = {}
if distance > 0 then
  local at = better + before
  rows = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, math.max(at - distance, 0), at + distance, 'WITHSCORES')
end
return {'place', total, better, worse, before, rows, metaOf(meta, described, rows)}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.desc), encodeBool(args.described), args.member, args.score, encodeBool(args.exact), encodeInt("distance", args.distance));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "place":
        expectFields(fields, 6);
        return { status: "place", total: decodeInt(fields[1]), better: decodeInt(fields[2]), worse: decodeInt(fields[3]), before: decodeInt(fields[4]), rows: decodeRows(fields[5], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })), metas: decodeList(fields[6], (part) => decodeOptional(part, decodeBytes)) };
      default:
        throw new UnexpectedReplyError("one of place", reply);
    }
  },
  merged: {
    name: "leaderboard.place (merged)",
    sha1: "81cf795dbb5f010898d93a23ce5dbd892629e21c",
    lua: `-- leaderboard.place
${RANKS}local function run(keyAt, argAt)
  local board, distinct, meta = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local desc, described, member, score, exact, distance = ARGV[argAt + 1] == '1', ARGV[argAt + 2] == '1', ARGV[argAt + 3], ARGV[argAt + 4], ARGV[argAt + 5] == '1', tonumber(ARGV[argAt + 6])
  local function isBelow(a, b)
    for at = 1, math.min(#a, #b) do
      local x, y = string.byte(a, at), string.byte(b, at)
      if x ~= y then return x < y end
    end
    return #a < #b
  end
  local total = redis.call('ZCARD', board)
  local better, worse = countBetter(board, score, desc), countBetter(board, score, not desc)
  local before = 0
  if exact then
    local low = desc and worse or better
    local first, high = low, total - (desc and better or worse)
    while low < high do
      local middle = math.floor((low + high) / 2)
      if isBelow(redis.call('ZRANGE', board, middle, middle)[1], member) then low = middle + 1 else high = middle end
    end
    before = low - first
    if desc then
      local ties = total - better - worse - before
      if redis.call('ZRANGE', board, low, low)[1] == member then ties = ties - 1 end
      before = ties
    end
  end
  local rows = {}
  if distance > 0 then
    local at = better + before
    rows = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, math.max(at - distance, 0), at + distance, 'WITHSCORES')
  end
  return {'place', total, better, worse, before, rows, metaOf(meta, described, rows)}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 3 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};

export interface RemoveBeyondKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface RemoveBeyondArgs {
  readonly desc: boolean;
  readonly keep: number;
  readonly most: number;
}

export type RemoveBeyondResult =
  | { readonly status: "ok"; readonly removed: number; readonly left: number };

/** Removes the worst members until there are `keep`, at most so many; returns how many it removed and how many are left to remove. */
export const removeBeyond: Script<RemoveBeyondKeys, RemoveBeyondArgs, RemoveBeyondResult> = {
  class: "idempotent",
  name: "leaderboard.removeBeyond",
  sha1: "5833dd9a2e135bd253ca93ec72acb98dc1e4355d",
  lua: `-- leaderboard.removeBeyond
${BOARD}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local desc, keep, most = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
local b = open(board, distinct, meta, false)
local removed = trim(b, keep, desc, most)
return {'ok', removed, math.max(redis.call('ZCARD', board) - keep, 0)}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.desc), encodeInt("keep", args.keep), encodeInt("most", args.most));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", removed: decodeInt(fields[1]), left: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface RemovePositionsKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface RemovePositionsArgs {
  readonly desc: boolean;
  /** 0 for the best */
  readonly from: number;
  /** the last */
  readonly to: number;
  readonly most: number;
}

export type RemovePositionsResult = number;

/** Removes whoever stands at these positions, at most so many of them and the worst first; returns how many it removed. */
export const removePositions: Script<RemovePositionsKeys, RemovePositionsArgs, RemovePositionsResult> = {
  class: "unsafe",
  name: "leaderboard.removePositions",
  sha1: "bcdf51eb68a986a2d73b36e027a795796ff4bdd9",
  lua: `-- leaderboard.removePositions
${BOARD}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local desc, from, to, most = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local b = open(board, distinct, meta, false)
local total = redis.call('ZCARD', board)
local last = math.min(to, total - 1)
local first = math.max(from, last - most + 1)
if first > last then return 0 end
if desc then return drop(b, total - 1 - last, total - 1 - first) end
return drop(b, first, last)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.desc), encodeInt("from", args.from), encodeInt("to", args.to), encodeInt("most", args.most));
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface RemoveScoresKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface RemoveScoresArgs {
  /** as ZCOUNT takes it */
  readonly low: string;
  readonly high: string;
  /** what is lower than `low`, as ZCOUNT takes it */
  readonly below: string;
  readonly most: number;
}

export type RemoveScoresResult =
  | { readonly status: "ok"; readonly removed: number; readonly left: number };

/** Removes members whose scores lie in a range, at most so many; returns how many it removed and how many are left to remove. */
export const removeScores: Script<RemoveScoresKeys, RemoveScoresArgs, RemoveScoresResult> = {
  class: "idempotent",
  name: "leaderboard.removeScores",
  sha1: "9ed71477a9fdccd0896133ce0193d0ba92b45e03",
  lua: `-- leaderboard.removeScores
${BOARD}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local low, high, below, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local b = open(board, distinct, meta, false)
local count = redis.call('ZCOUNT', board, low, high)
if count == 0 then return {'ok', 0, 0} end
local first = low == '-inf' and 0 or redis.call('ZCOUNT', board, '-inf', below)
local removed = drop(b, first, first + math.min(count, most) - 1)
return {'ok', removed, count - removed}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.low, args.high, args.below, encodeInt("most", args.most));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", removed: decodeInt(fields[1]), left: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface RemoveKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
  /** of the windows: board and distinct, alternating */
  readonly periods: readonly Arg[];
}

export interface RemoveArgs {
  /** which times the periods are; empty without windows */
  readonly windows: string;
  readonly members: readonly Arg[];
}

export type RemoveResult =
  | { readonly status: "ok"; readonly removed: boolean[] }
  | { readonly status: "stale"; readonly at: number };

/** Removes members, from the present period of each window too; true for each that was on the board. `stale`: the server's time is not one that `windows` is for. */
export const remove: Script<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "leaderboard.remove",
  sha1: "345b8ee239346d71fac6bbb4ea90668960bd3fc5",
  lua: `-- leaderboard.remove
${NOW}${BOARD}${WRITES}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local periods = {}
for i = 4, #KEYS do periods[i - 3] = KEYS[i] end
local windows = ARGV[1]
local members = {}
for i = 2, #ARGV do members[i - 1] = ARGV[i] end
local all = boardsOf(board, distinct, meta, false, windows, periods)
if not all then return {'stale', now()} end
local removed = {}
for at, member in ipairs(members) do
  for place, b in ipairs(all) do
    local before = redis.call('ZSCORE', b.board, member)
    if place == 1 then removed[at] = before ~= false end
    if before then
      redis.call('ZREM', b.board, member)
      if b.indexed then forget(b, before) end
      if b.described then redis.call('HDEL', b.meta, member) end
    end
  end
end
return {'ok', removed}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
    for (const each of keys.periods) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(args.windows);
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", removed: decodeList(fields[1], decodeBool) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface ScoreAtKeys {
  readonly board: Arg;
}

export interface ScoreAtArgs {
  readonly desc: boolean;
  /** 0 to 100 */
  readonly percentile: number;
}

export type ScoreAtResult = number | null;

/** The score of whoever stands at a percentile, by nearest rank: at least `percentile` of the members are no better. Nil on an empty board. */
export const scoreAt: Script<ScoreAtKeys, ScoreAtArgs, ScoreAtResult> = {
  class: "read",
  name: "leaderboard.scoreAt",
  sha1: "95d7172359cdb0150488cc2c7ff094485d83b029",
  lua: `-- leaderboard.scoreAt
local board = KEYS[1]
local desc, percentile = ARGV[1] == '1', tonumber(ARGV[2])
local total = redis.call('ZCARD', board)
if total == 0 then return false end
local ROUNDING = 1 - 1e-15
local place = math.max(math.ceil(percentile * total / 100 * ROUNDING), 1) - 1
return redis.call(desc and 'ZRANGE' or 'ZREVRANGE', board, place, place, 'WITHSCORES')[2]
`,
  encodeKeys(keys, out) {
    out.push(keys.board);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.desc), encodeFloat("percentile", args.percentile));
  },
  decode(reply) {
    return decodeOptional(reply, decodeFloat);
  },
};

export interface SetKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
  /** of the windows: board and distinct, alternating */
  readonly periods: readonly Arg[];
}

export interface SetArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write starts the time to live again */
  readonly renew: boolean;
  /** which times the periods are; empty without windows */
  readonly windows: string;
  /** of an entry: 2, or 3 with what is stored with it */
  readonly width: number;
  /** score, member and, where it is not empty, what to store with it */
  readonly entries: readonly Arg[];
}

export type SetResult =
  | { readonly status: "ok"; readonly kept: boolean[]; readonly opened: boolean }
  | { readonly status: "stale"; readonly at: number };

/** Sets the scores of members; false for each that fell off a full board. `stale`: the server's time is not one that `windows` is for. */
export const set: Script<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "leaderboard.set",
  sha1: "148d4fd4e221a1bc5c3a51972b239c0bfa0e432e",
  lua: `-- leaderboard.set
${NOW}${BOARD}${WRITES}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local periods = {}
for i = 4, #KEYS do periods[i - 3] = KEYS[i] end
local maxSize, desc, dense, ttlMs, renew, windows, width = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6], tonumber(ARGV[7])
local entries = {}
for i = 8, #ARGV do entries[i - 7] = ARGV[i] end
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local members, kept, pairs, described = {}, {}, entries, {}
if width == 3 then pairs = {} end
for at = 1, #entries, width do
  local member, bytes = entries[at + 1], width == 3 and entries[at + 2] or ''
  members[#members + 1], kept[#kept + 1] = member, true
  if width == 3 then pairs[#pairs + 1], pairs[#pairs + 2] = entries[at], member end
  if bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
end
for _, b in ipairs(all) do
  if b.indexed then
    for at, member in ipairs(members) do
      put(b, member, pairs[at * 2 - 1], redis.call('ZSCORE', b.board, member))
    end
  else
    redis.call('ZADD', b.board, unpack(pairs))
  end
end
local isTrimmed, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
if isTrimmed then
  for at, score in ipairs(redis.call('ZMSCORE', board, unpack(members))) do kept[at] = score ~= false end
end
return {'ok', kept, isOpened}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
    for (const each of keys.periods) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), args.windows, encodeInt("width", args.width));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", kept: decodeList(fields[1], decodeBool), opened: decodeBool(fields[2]) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface StandingsKeys {
  readonly board: Arg;
  readonly distinct: Arg;
  readonly meta: Arg;
}

export interface StandingsArgs {
  readonly ties: string;
  readonly desc: boolean;
  /** whether what is stored with members is asked for */
  readonly described: boolean;
  readonly members: readonly Arg[];
}

export type StandingsResult =
  | { readonly status: "standings"; readonly total: number; readonly rows: { readonly score: number | null; readonly rank: number; readonly worse: number; readonly equal: number }[]; readonly metas: (Buffer | null)[] };

/** Where members stand: score (nil for one that is not on the board), rank, and how many others are worse and equal. */
export const standings: Script<StandingsKeys, StandingsArgs, StandingsResult> = {
  class: "read",
  name: "leaderboard.standings",
  sha1: "602c23d45fc7f2e23c151082de3cfcca041d6cf4",
  lua: `-- leaderboard.standings
${RANKS}local board, distinct, meta = KEYS[1], KEYS[2], KEYS[3]
local ties, desc, described = ARGV[1], ARGV[2] == '1', ARGV[3] == '1'
local members = {}
for i = 4, #ARGV do members[i - 3] = ARGV[i] end
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
return {'standings', total, rows, described and redis.call('HMGET', meta, unpack(members)) or {}}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeBool(args.described));
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "standings":
        expectFields(fields, 3);
        return { status: "standings", total: decodeInt(fields[1]), rows: decodeRows(fields[2], 4, (flat, at) => ({ score: decodeOptional(flat[at], decodeFloat), rank: decodeInt(flat[at + 1]), worse: decodeInt(flat[at + 2]), equal: decodeInt(flat[at + 3]) })), metas: decodeList(fields[3], (part) => decodeOptional(part, decodeBytes)) };
      default:
        throw new UnexpectedReplyError("one of standings", reply);
    }
  },
};
