// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeFloat, decodeInt, decodeList, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, None, Script } from "../core/script/script.ts";

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

const SHARED = `local OWN = 5
local TAGS, ROUND, ROUNDS = 2048, 256, 8
local CHUNK = 3000
local MAX_WALK = 20000
local function whole(x)
  return string.format('%.0f', x)
end
local function loadState(state)
  local s = redis.call('ZMSCORE', state, 'e', 'f', 'g', 'm', 't')
  if not s[1] then return nil end
  return { e = -1 - s[1], f = -1 - s[2], g = -1 - s[3], m = -1 - s[4], t = -1 - s[5] }
end
local function makeState(state, redriven, s)
  redis.call('UNLINK', state)
  local add = {}
  for name, x in pairs(s) do
    add[#add + 1] = whole(-1 - x)
    add[#add + 1] = name
  end
  redis.call('ZADD', state, unpack(add))
  local members = redis.call('ZRANGE', redriven, 0, MAX_WALK)
  for _, member in ipairs(members) do redis.call('ZADD', state, whole(s.t * TAGS), 'c' .. member) end
  return s
end
local function logHead(meta, log)
  local stored = redis.call('HMGET', meta, 'head', 'epoch', 'first', 'at')
  if stored[1] then return tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4]) end
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if not last then return 0, 0, 1, 0 end
  local head, epoch = string.match(last[1], '^(%d+)-(%d+)$')
  return tonumber(head), tonumber(epoch), 1, tonumber(last[2][2])
end
local function isThere(log, head, headAt, offset, at)
  if offset >= head then return offset == head and at == headAt end
  local entry = redis.call('XRANGE', log, whole(offset), '+', 'COUNT', 1)[1]
  if not entry then return true end
  local last = string.match(entry[1], '^%d+')
  return tonumber(last) - tonumber(entry[2][4]) >= offset or tonumber(entry[2][2]) == at
end
local function nextTag(tag)
  if tag % ROUND < ROUND - 1 then return tag + 1 end
  return (tag + ROUND) % (ROUND * ROUNDS)
end
local function releasedTag(tag)
  return (tag + ROUND - math.min(tag % ROUND, 1)) % (ROUND * ROUNDS)
end
local function passTo(cursors, subscription, offset, t, expiresMs)
  local untilMs = expiresMs > 0 and ':' .. whole(t + expiresMs) or ''
  redis.call('HSET', cursors, subscription, whole(offset) .. untilMs)
end
`;

const LOG = `local function offsetsOf(entry)
  local last, epoch = string.match(entry[1], '^(%d+)-(%d+)$')
  return tonumber(last) - tonumber(entry[2][4]) + 1, tonumber(last), tonumber(epoch)
end
local function logState(log, meta, producer)
  local known = redis.call('HMGET', meta, 'head', 'epoch', 'at', 'first', 'trimmed', 'p:' .. producer)
  if known[1] then
    return {
      head = tonumber(known[1]), epoch = tonumber(known[2]), at = tonumber(known[3]), first = tonumber(known[4]),
      trimmed = tonumber(known[5]), record = known[6],
    }
  end
  local state = {head = 0, epoch = now(), at = 0, first = 1, trimmed = 0}
  if redis.call('EXISTS', log) == 0 then return state end
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then
    local _
    _, state.head, state.epoch = offsetsOf(last)
    state.at = tonumber(last[2][2])
    state.first = offsetsOf(redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1])
    return state
  end
  local info = redis.call('XINFO', 'STREAM', log)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then
      local head, epoch = string.match(info[at + 1], '^(%d+)-(%d+)$')
      state.head, state.epoch, state.first = tonumber(head), tonumber(epoch), tonumber(head) + 1
    end
  end
  return state
end
local function appendPack(log, meta, live, state, count, blob, producer, number, liveBytes)
  local format = string.format
  local first, head = state.head + 1, state.head + count
  local at = math.max(now(), state.at)
  local epochText, firstText, atText = format('%d', state.epoch), format('%d', first), format('%d', at)
  local headText, countText = format('%d', head), format('%d', count)
  redis.call('XADD', log, headText .. '-' .. epochText, 't', atText, 'n', countText, 'm', blob)
  local record = format('%d', number) .. ' ' .. epochText .. ' ' .. firstText .. ' ' .. atText
  if state.record == nil then
    redis.call('HSET', meta, 'head', headText, 'epoch', epochText, 'at', atText, 'first', format('%d', state.first),
      'trimmed', format('%d', state.trimmed), 'p:' .. producer, record)
  else
    redis.call('HSET', meta, 'head', headText, 'at', atText, 'p:' .. producer, record)
  end
  local news = epochText .. ' ' .. firstText .. ' ' .. countText .. ' ' .. atText .. '\\n'
  redis.pcall('SPUBLISH', live, #blob <= liveBytes and news .. blob or news)
  state.head, state.at = head, at
  return first, at
end
`;

const LOG_RETENTION = `local function logRetention()
  local MAX_PRODUCERS = 64
  local PRODUCER_MS = 600000
  local META_MS = 2592000000
  local MAX_TRIMMED = 10000
  local function firstSince(log, state, oldest, cutoff)
    if tonumber(oldest[2][2]) >= cutoff then return state.first end
    local _, last = offsetsOf(oldest)
    local low, high = last + 1, state.head + 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      local entry = redis.call('XRANGE', log, middle, '+', 'COUNT', 1)[1]
      if not entry then return low end
      local from, to = offsetsOf(entry)
      if tonumber(entry[2][2]) < cutoff then low = to + 1 else high = math.min(middle, math.max(from, low)) end
    end
    return low
  end
  local function passedByAll(cursors)
    local lowest
    local fields = redis.call('HGETALL', cursors)
    for at = 2, #fields, 2 do
      local offset, untilMs = string.match(fields[at], '^(%d+):?(%d*)$')
      if offset and (untilMs == '' or tonumber(untilMs) > now()) then
        lowest = math.min(lowest or tonumber(offset), tonumber(offset))
      end
    end
    return lowest
  end
  local function keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
    local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
    if not oldest then return state.head + 1 end
    state.first = math.max(state.first, (offsetsOf(oldest)))
    local from = firstSince(log, state, oldest, now() - keepMs)
    local fitting = state.head + adding - maxMessages + 1
    if keepUnread or refuses then
      local passed = passedByAll(cursors)
      if keepUnread and passed then from = math.min(from, passed + 1) end
      if refuses then fitting = math.min(fitting, passed and passed + 1 or 1) end
    end
    return math.max(from, fitting, state.first)
  end
  local function trimLog(log, from)
    local id = string.format('%.0f-0', from)
    if redis.call('XTRIM', log, 'MINID', '~', id, 'LIMIT', MAX_TRIMMED) < MAX_TRIMMED then redis.call('XTRIM', log, 'MINID', id) end
  end
  local function forgetProducers(meta)
    if redis.call('HLEN', meta) <= MAX_PRODUCERS then return end
    local fields = redis.call('HGETALL', meta)
    for at = 1, #fields, 2 do
      local usedAt = string.match(fields[at], '^p:') and tonumber(string.match(fields[at + 1], '%d+$'))
      if usedAt and usedAt < now() - PRODUCER_MS then redis.call('HDEL', meta, fields[at]) end
    end
  end
  local function tidyLog(log, meta, state, from, keepMs, keepUnread)
    if from > state.first then trimLog(log, from) end
    redis.call('HSET', meta, 'first', math.max(from, state.first), 'trimmed', now())
    if math.floor(now() / 60000) ~= math.floor(state.trimmed / 60000) then forgetProducers(meta) end
    redis.call('PEXPIRE', meta, keepMs + META_MS)
    if keepUnread then redis.call('PERSIST', log) else redis.call('PEXPIRE', log, keepMs + 120000) end
  end
  return keptFrom, tidyLog
end
`;

const LATEST = `local MAX_DELETED = 10000
local LATEST_META_MS = 2592000000
local function forgetLatest(state, latest, places, deleted)
  redis.call('UNLINK', latest, places, deleted)
  state.keys, state.tombs, state.purged = 0, 0, state.head
  state.began = math.max(state.began + 1, now(), state.at + 1)
end
local function continueFrom(state, latest, places, buried)
  local newest = redis.call('ZREVRANGE', places, 0, 0)[1]
  local offset, epoch, at = string.match(redis.call('HGET', latest, newest) or '', '^(%d+) (%d+) (%d+)\\n')
  if not offset or tonumber(offset) <= state.head then return end
  state.head, state.epoch, state.at = math.max(tonumber(offset), buried), tonumber(epoch), tonumber(at)
  state.first = state.head + 1
end
local function rememberLatest(meta, state)
  redis.call('HSET', meta, 'keys', state.keys, 'tombs', state.tombs, 'purged', state.purged, 'began', state.began)
end
local function latestState(log, meta, latest, places, deleted, producer)
  local state = logState(log, meta, producer)
  local told = redis.call('HMGET', meta, 'head', 'keys', 'tombs', 'purged', 'began')
  local records = redis.call('HLEN', latest)
  state.keys, state.tombs = redis.call('ZCARD', places), redis.call('ZCARD', deleted)
  state.purged, state.began = tonumber(told[4] or 0), tonumber(told[5] or 0)
  state.isNew = not told[1] and state.head == 0 and records + state.keys + state.tombs == 0
  if state.isNew then return state end
  local isWhole = state.keys == records and (not told[2] or tonumber(told[2]) == records)
  local hasTombs = told[3] and tonumber(told[3]) == state.tombs or not told[3] and told[1] and state.tombs == 0
  if isWhole and hasTombs then return state end
  if not isWhole then
    forgetLatest(state, latest, places, deleted)
  else
    local buried = tonumber(redis.call('ZRANGE', deleted, -1, -1, 'WITHSCORES')[2] or 0)
    redis.call('UNLINK', deleted)
    if not told[1] then
      if records > 0 then continueFrom(state, latest, places, buried) end
      state.began = math.max(now(), state.at)
    end
    state.tombs, state.purged = 0, state.head
  end
  redis.call('HSET', meta, 'head', state.head, 'epoch', state.epoch, 'at', state.at, 'first', state.first, 'trimmed', state.trimmed)
  rememberLatest(meta, state)
  if not told[1] then
    local leftMs = redis.call('PTTL', places)
    if leftMs ~= -1 then redis.call('PEXPIRE', meta, math.max(leftMs, 0) + LATEST_META_MS) end
  end
  return state
end
`;

const USED_UNTIL = `local function used(state, cursors, name, cursor, keepMs)
  local value = string.format('%.0f', cursor)
  if keepMs > 0 then
    value = value .. string.format(':%.0f', now() + keepMs)
    redis.call('PEXPIRE', state, keepMs)
  elseif keepMs == 0 then
    redis.call('PERSIST', state)
  else
    local leftMs = redis.call('PTTL', state)
    if leftMs > 0 then value = value .. string.format(':%.0f', now() + leftMs) end
  end
  redis.call('HSET', cursors, name, value)
end
`;

const REDRIVEN = `local function newestRedriven(redriven)
  return redis.call('ZRANGE', redriven, -1, -1, 'WITHSCORES')[2] or '0'
end
`;

export interface DeadBuryKeys {
  /** of the log */
  readonly meta: Arg;
  readonly log: Arg;
  /** of the subscription if it is of kind `shared` */
  readonly state: Arg;
  /** letters by when they died */
  readonly dead: Arg;
  /** letters as they are stored */
  readonly records: Arg;
  /** letters that are to be handled again */
  readonly redriven: Arg;
  /** the partition, if the subscription is of kind `ordered` */
  readonly owned: Arg;
}

export interface DeadBuryArgs {
  readonly letter: string;
  readonly record: Arg;
  /** that is claimed; empty: there is no such state */
  readonly member: string;
  readonly generation: number;
  readonly tag: number;
  /** of the owner of the partition; 0: nobody owns it */
  readonly fence: number;
  /** of its message */
  readonly epoch: number;
  readonly offset: number;
  /** of a message that a shared subscription has claimed; 0: it is not looked at */
  readonly publishedAt: number;
  /** of a redriven letter among those; empty: it is none */
  readonly place: string;
  readonly maxLetters: number;
  readonly keepMs: number;
}

export type DeadBuryResult =
  | { readonly status: "ok" }
  | { readonly status: "stale" };

/** Stores a message that was given up as a dead letter, and takes it out of what is claimed, once however often it is called. */
export const deadBury: BatchScript<DeadBuryKeys, DeadBuryArgs, DeadBuryResult> = {
  class: "idempotent",
  name: "topic.deadBury",
  sha1: "c07bf5ddc227d5189d2d6fb4497575738838655a",
  lua: `-- topic.deadBury
${NOW}${SHARED}local meta, log, state, dead, records, redriven, owned = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local letter, record, member, generation, tag, fence, epoch, offset, publishedAt, place, maxLetters, keepMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
local SCORES_PER_MS = 1024
local MAX_DROPPED = 10
if member ~= '' then
  local s = loadState(state)
  local score = redis.call('ZSCORE', state, member)
  if not s or s.g ~= generation or not score or score % TAGS ~= tag then
    if not score and redis.call('ZSCORE', dead, letter) then return {'ok'} end
    return {'stale'}
  end
  if publishedAt > 0 then
    local head, epochNow, _, headAt = logHead(meta, log)
    if epochNow ~= epoch or not isThere(log, head, headAt, offset, publishedAt) then return {'stale'} end
  end
end
if fence > 0 then
  local held = redis.call('HMGET', owned, 'fence', 'cursor', 'epoch')
  if tonumber(held[1]) ~= fence then return {'stale'} end
  if place ~= '' then
    if redis.call('ZSCORE', redriven, letter) ~= place then return {'ok'} end
  elseif tonumber(held[3]) == epoch and tonumber(held[2]) >= offset then
    return {'ok'}
  end
end
if redis.call('EXISTS', records) == 0 then redis.call('UNLINK', dead) end
local last = redis.call('ZRANGE', dead, -1, -1, 'WITHSCORES')[2]
local at = math.max(now() * SCORES_PER_MS, (last or 0) + 1)
redis.call('ZADD', dead, 'NX', whole(at), letter)
redis.call('HSET', records, letter, record)
redis.call('ZREM', redriven, letter)
if member ~= '' then redis.call('ZREM', state, member) end
local surplus = math.min(redis.call('ZCARD', dead) - maxLetters, MAX_DROPPED)
local old = redis.call('ZRANGE', dead, 0, whole((now() - keepMs) * SCORES_PER_MS), 'BYSCORE', 'LIMIT', 0, MAX_DROPPED)
if surplus > 0 then for _, each in ipairs(redis.call('ZRANGE', dead, 0, surplus - 1)) do old[#old + 1] = each end end
for _, each in ipairs(old) do
  redis.call('ZREM', dead, each)
  redis.call('HDEL', records, each)
end
redis.call('PEXPIRE', dead, keepMs)
redis.call('PEXPIRE', records, keepMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.log, keys.state, keys.dead, keys.records, keys.redriven, keys.owned);
  },
  encodeArgs(args, out) {
    out.push(args.letter, args.record, args.member, encodeInt("generation", args.generation), encodeInt("tag", args.tag), encodeInt("fence", args.fence), encodeInt("epoch", args.epoch), encodeInt("offset", args.offset), encodeInt("publishedAt", args.publishedAt), args.place, encodeInt("maxLetters", args.maxLetters), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
  most: 64,
  merged: {
    name: "topic.deadBury (merged)",
    sha1: "fe75506e89cf216f74a0c0bf9ff644ae88cbf35f",
    lua: `-- topic.deadBury
${NOW}${SHARED}local function run(keyAt, argAt)
  local meta, log, state, dead, records, redriven, owned = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4], KEYS[keyAt + 5], KEYS[keyAt + 6], KEYS[keyAt + 7]
  local letter, record, member, generation, tag, fence, epoch, offset, publishedAt, place, maxLetters, keepMs = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), tonumber(ARGV[argAt + 7]), tonumber(ARGV[argAt + 8]), tonumber(ARGV[argAt + 9]), ARGV[argAt + 10], tonumber(ARGV[argAt + 11]), tonumber(ARGV[argAt + 12])
  local SCORES_PER_MS = 1024
  local MAX_DROPPED = 10
  if member ~= '' then
    local s = loadState(state)
    local score = redis.call('ZSCORE', state, member)
    if not s or s.g ~= generation or not score or score % TAGS ~= tag then
      if not score and redis.call('ZSCORE', dead, letter) then return {'ok'} end
      return {'stale'}
    end
    if publishedAt > 0 then
      local head, epochNow, _, headAt = logHead(meta, log)
      if epochNow ~= epoch or not isThere(log, head, headAt, offset, publishedAt) then return {'stale'} end
    end
  end
  if fence > 0 then
    local held = redis.call('HMGET', owned, 'fence', 'cursor', 'epoch')
    if tonumber(held[1]) ~= fence then return {'stale'} end
    if place ~= '' then
      if redis.call('ZSCORE', redriven, letter) ~= place then return {'ok'} end
    elseif tonumber(held[3]) == epoch and tonumber(held[2]) >= offset then
      return {'ok'}
    end
  end
  if redis.call('EXISTS', records) == 0 then redis.call('UNLINK', dead) end
  local last = redis.call('ZRANGE', dead, -1, -1, 'WITHSCORES')[2]
  local at = math.max(now() * SCORES_PER_MS, (last or 0) + 1)
  redis.call('ZADD', dead, 'NX', whole(at), letter)
  redis.call('HSET', records, letter, record)
  redis.call('ZREM', redriven, letter)
  if member ~= '' then redis.call('ZREM', state, member) end
  local surplus = math.min(redis.call('ZCARD', dead) - maxLetters, MAX_DROPPED)
  local old = redis.call('ZRANGE', dead, 0, whole((now() - keepMs) * SCORES_PER_MS), 'BYSCORE', 'LIMIT', 0, MAX_DROPPED)
  if surplus > 0 then for _, each in ipairs(redis.call('ZRANGE', dead, 0, surplus - 1)) do old[#old + 1] = each end end
  for _, each in ipairs(old) do
    redis.call('ZREM', dead, each)
    redis.call('HDEL', records, each)
  end
  redis.call('PEXPIRE', dead, keepMs)
  redis.call('PEXPIRE', records, keepMs)
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 12 and 12 or 0
for keyAt = 0, #KEYS - 1, 7 do
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

export interface DeadPageKeys {
  /** `dead`, or `redriven` */
  readonly of: Arg;
  readonly records: Arg;
}

export interface DeadPageArgs {
  /** the score behind which the page begins */
  readonly after: string;
  readonly limit: number;
}

export type DeadPageResult = { readonly letter: string; readonly score: number; readonly record: Buffer }[];

/** Returns dead letters in the order in which they died, or those that were put back. */
export const deadPage: Script<DeadPageKeys, DeadPageArgs, DeadPageResult> = {
  class: "read",
  name: "topic.deadPage",
  sha1: "b1a267e291cb1002c55c1c6bd11c4fc772c92ae0",
  lua: `-- topic.deadPage
local of, records = KEYS[1], KEYS[2]
local after, limit = ARGV[1], tonumber(ARGV[2])
local found = redis.call('ZRANGE', of, '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
if #found == 0 then return {} end
local letters = {}
for at = 1, #found, 2 do letters[#letters + 1] = found[at] end
local rows = {}
for index, record in ipairs(redis.call('HMGET', records, unpack(letters))) do
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3] = letters[index], found[index * 2], record or ''
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.of, keys.records);
  },
  encodeArgs(args, out) {
    out.push(args.after, encodeInt("limit", args.limit));
  },
  decode(reply) {
    return decodeRows(reply, 3, (flat, at) => ({ letter: decodeText(flat[at]), score: decodeFloat(flat[at + 1]), record: decodeBytes(flat[at + 2]) }));
  },
};

export interface DeadRedriveKeys {
  /** of the subscription if it is of kind `shared` */
  readonly state: Arg;
  readonly dead: Arg;
  readonly records: Arg;
  readonly redriven: Arg;
}

export interface DeadRedriveArgs {
  readonly wakeChannel: string;
  readonly wake: string;
  readonly letters: readonly string[];
}

export type DeadRedriveResult = number;

/** Puts dead letters back to their subscription, to be handled again with all their attempts, in the order in which they died. Returns how many were dead. */
export const deadRedrive: Script<DeadRedriveKeys, DeadRedriveArgs, DeadRedriveResult> = {
  class: "idempotent",
  name: "topic.deadRedrive",
  sha1: "c0833d4e55d455b0eabaa349f348edb8975481c5",
  lua: `-- topic.deadRedrive
${NOW}${SHARED}local state, dead, records, redriven = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wakeChannel, wake = ARGV[1], ARGV[2]
local letters = {}
for i = 3, #ARGV do letters[i - 2] = ARGV[i] end
local PLACES_PER_MS = 1024
local keepMs = redis.call('PTTL', records)
local isShared = redis.call('EXISTS', state) == 1
local tag = math.floor(now() / 1000) % ROUNDS * ROUND
local score = whole(now() * TAGS + tag)
local diedAt, there = {}, {}
for _, letter in ipairs(letters) do
  local at = tonumber(redis.call('ZSCORE', dead, letter))
  if at and not diedAt[letter] then
    diedAt[letter] = at
    there[#there + 1] = letter
  end
end
table.sort(there, function(one, other) return diedAt[one] < diedAt[other] end)
local last = tonumber(redis.call('ZRANGE', redriven, -1, -1, 'WITHSCORES')[2] or 0)
local place = math.max(now() * PLACES_PER_MS, last + 1)
local moved = 0
for _, letter in ipairs(there) do
  redis.call('ZREM', dead, letter)
  if redis.call('HEXISTS', records, letter) == 1 then
    redis.call('ZADD', redriven, whole(place + moved), letter)
    if isShared then redis.call('ZADD', state, score, 'c' .. letter) end
    moved = moved + 1
  end
end
if moved > 0 then
  if keepMs > 0 then redis.call('PEXPIRE', redriven, keepMs) end
  redis.call('PUBLISH', wakeChannel, wake)
end
return moved
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.dead, keys.records, keys.redriven);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel, args.wake);
    for (const each of args.letters) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface DeadRemoveKeys {
  readonly dead: Arg;
  readonly records: Arg;
}

export interface DeadRemoveArgs {
  readonly letters: readonly string[];
}

export type DeadRemoveResult = number;

/** Forgets dead letters. Returns how many were there. */
export const deadRemove: Script<DeadRemoveKeys, DeadRemoveArgs, DeadRemoveResult> = {
  class: "idempotent",
  name: "topic.deadRemove",
  sha1: "530394caeefd4ef889a3146acc927d7eefdf1cc8",
  lua: `-- topic.deadRemove
local dead, records = KEYS[1], KEYS[2]
local letters = ARGV
local removed = 0
for _, letter in ipairs(letters) do
  if redis.call('ZREM', dead, letter) == 1 then
    redis.call('HDEL', records, letter)
    removed = removed + 1
  end
end
return removed
`,
  encodeKeys(keys, out) {
    out.push(keys.dead, keys.records);
  },
  encodeArgs(args, out) {
    for (const each of args.letters) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface LatestAppendKeys {
  readonly log: Arg;
  readonly meta: Arg;
  /** sharded channel */
  readonly live: Arg;
  /** where each subscription is */
  readonly cursors: Arg;
  readonly latest: Arg;
  readonly places: Arg;
  readonly deleted: Arg;
  /** of the messages that have one */
  readonly ids: readonly Arg[];
}

export interface LatestAppendArgs {
  readonly producer: string;
  /** of the pack, rising */
  readonly number: number;
  readonly keepMs: number;
  readonly maxMessages: number;
  readonly keepUnread: boolean;
  /** what does not fit is refused, else the oldest go */
  readonly refuses: boolean;
  /** what has no room for its key is not refused either */
  readonly waits: boolean;
  readonly dedupeMs: number;
  readonly maxKeys: number;
  /** how long the newest messages outlive the last one; 0: for ever */
  readonly expiresMs: number;
  /** the most that go to the listeners with the news */
  readonly liveBytes: number;
  readonly count: number;
  /** of each: its key; s or d (a tombstone), i (the next id is its), = and what is expected of the key; its frame */
  readonly messages: readonly Arg[];
}

export type LatestAppendResult =
  | { readonly status: "ok"; readonly epoch: number; readonly first: number; readonly at: number; readonly known: number[]; readonly times: number[] }
  | { readonly status: "full"; readonly room: number; readonly epoch: number; readonly known: number[]; readonly times: number[] }
  | { readonly status: "late" };

/**
 * Appends a pack of messages that have keys to a log, and keeps the newest message of each key.
 * As the script `append`, but each message has an outcome of its own in `known`: 0 it was appended; above: its id is known, from that offset;
 * -1 the key is not where the publisher expects it; -2 there is no room for one more key; -3 there is nothing to delete.
 * XADD is the first write: where the server takes none, nothing is written.
 */
export const latestAppend: Script<LatestAppendKeys, LatestAppendArgs, LatestAppendResult> = {
  class: "dedupable",
  name: "topic.latestAppend",
  sha1: "f05f107b4e270d4da924817c8e5012b511ce2b39",
  lua: `-- topic.latestAppend
${NOW}${LOG}${LOG_RETENTION}${LATEST}local log, meta, live, cursors, latest, places, deleted = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local ids = {}
for i = 8, #KEYS do ids[i - 7] = KEYS[i] end
local producer, number, keepMs, maxMessages, keepUnread, refuses, waits, dedupeMs, maxKeys, expiresMs, liveBytes, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local messages = {}
for i = 13, #ARGV do messages[i - 12] = ARGV[i] end
local state = latestState(log, meta, latest, places, deleted, producer)
local left, numberBefore, epochBefore, firstBefore, atBefore
if state.record then
  left, numberBefore, epochBefore, firstBefore, atBefore = string.match(state.record, '^([%d:,%-]-) ?(%d+) (%d+) (%d+) (%d+)$')
end
local isRepeat = numberBefore and tonumber(numberBefore) == number
if numberBefore and tonumber(numberBefore) > number then return 'late' end
local keys, idOf, known, times, nextId, asks = {}, {}, {}, {}, 0, state.keys + count > maxKeys
local knownBelow = isRepeat and tonumber(firstBefore) or state.head + 1
for at = 1, count do
  local what = messages[3 * at - 1]
  keys[at], known[at], times[at] = messages[3 * at - 2], 0, 0
  if what ~= 's' and what ~= 'si' then asks = true end
  if what ~= 's' and string.find(what, '^.i') then
    nextId = nextId + 1
    idOf[at] = ids[nextId]
    local epoch, offset, time = string.match(redis.call('GET', idOf[at]) or '', '^(%d+):(%d+):(%d+)$')
    if epoch and tonumber(epoch) == state.epoch and tonumber(offset) < knownBelow then
      known[at], times[at] = tonumber(offset), tonumber(time)
    end
  end
end
if isRepeat then
  for at, code in string.gmatch(left, '(%d+):(%-%d)') do known[tonumber(at)] = tonumber(code) end
  return {'ok', epochBefore, firstBefore, atBefore, known, times}
end
local isThere = {}
if asks then
  for at, score in ipairs(redis.call('ZMSCORE', places, unpack(keys))) do isThere[keys[at]] = score and true or nil end
end
local frames, newest, rankOf, refused, newIds, rank, keyCount = {}, {}, {}, {}, {}, 0, state.keys
local function isExpected(key, expected)
  local found = '0'
  if newest[key] then found = isThere[key] and 'here' or '0'
  elseif isThere[key] then found = string.match(redis.call('HGET', latest, key), '^(.-)\\n') end
  return found == expected
end
for at = 1, count do
  if known[at] == 0 then
    local key, what = keys[at], messages[3 * at - 1]
    local isDeleted = asks and string.find(what, '^d') ~= nil
    local expected = asks and string.match(what, '=(.*)$')
    rank = rank + 1
    if expected and not isExpected(key, expected) then refused[at] = -1
    elseif isDeleted and not isThere[key] then refused[at] = -3
    elseif asks and not isThere[key] and keyCount >= maxKeys then
      if waits then return {'full', rank - 1, state.epoch, known, times} end
      refused[at] = -2
    else
      frames[#frames + 1] = messages[3 * at]
      rankOf[#frames] = rank
      if idOf[at] then newIds[#newIds + 1] = {idOf[at], #frames} end
      if isDeleted then keyCount = keyCount - 1 elseif not isThere[key] then keyCount = keyCount + 1 end
      isThere[key] = not isDeleted or nil
      newest[key] = #frames
    end
  end
end
local adding = #frames
left = ''
for at, code in pairs(refused) do left = left .. (left == '' and '' or ',') .. at .. ':' .. code end
local function withRefused()
  for at, code in pairs(refused) do known[at] = code end
  return known
end
local function remember(first, at)
  local record = string.format('%s %.0f %.0f %.0f %.0f', left, number, state.epoch, first, at)
  redis.call('HSET', meta, 'head', state.head, 'epoch', state.epoch, 'at', state.at, 'first', state.first, 'trimmed', state.trimmed,
    'p:' .. producer, record)
end
if adding == 0 then
  if left ~= '' then remember(state.head + 1, state.at) end
  if state.isNew then redis.call('PEXPIRE', meta, keepMs + LATEST_META_MS) end
  return {'ok', state.epoch, state.head + 1, state.at, withRefused(), times}
end
local over = state.head + adding - state.first + 1 - maxMessages
local slack = refuses and 0 or math.max(64, maxMessages / 16)
local dueMs = math.min(60000, math.max(1000, math.ceil(keepMs / 100)))
local isDue = state.keys == 0 or math.abs(now() - state.trimmed) >= dueMs
local from, keptFrom, tidyLog = state.first
if isDue or over > slack then
  keptFrom, tidyLog = logRetention()
  from = keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
  over = state.head + adding - from + 1 - maxMessages
  isDue = true
end
if refuses and over > 0 then return {'full', rankOf[adding - over] or 0, state.epoch, known, times} end
local first, at = appendPack(log, meta, live, state, adding, table.concat(frames), producer, number, liveBytes)
for _, new in ipairs(newIds) do
  redis.call('SET', new[1], string.format('%.0f:%.0f:%.0f', state.epoch, first + new[2] - 1, at), 'PX', dedupeMs)
end
local isBare = state.keys == 0 or state.tombs == 0
local set, placed, gone, buried = {}, {}, {}, {}
local origin = string.format(' %.0f %.0f\\n', state.epoch, at)
for key, place in pairs(newest) do
  local offset = string.format('%.0f', first + place - 1)
  if isThere[key] then
    set[#set + 1], set[#set + 2] = key, offset .. origin .. frames[place]
    placed[#placed + 1], placed[#placed + 2] = offset, key
  else
    gone[#gone + 1] = key
    buried[#buried + 1], buried[#buried + 2] = offset, key
  end
end
if #set > 0 then
  redis.call('HSET', latest, unpack(set))
  redis.call('ZADD', places, unpack(placed))
  if state.tombs > 0 then
    local back = {}
    for at = 1, #set, 2 do back[#back + 1] = set[at] end
    redis.call('ZREM', deleted, unpack(back))
  end
end
if #gone > 0 then
  redis.call('HDEL', latest, unpack(gone))
  redis.call('ZREM', places, unpack(gone))
  redis.call('ZADD', deleted, unpack(buried))
end
state.keys, state.tombs = redis.call('ZCARD', places), redis.call('ZCARD', deleted)
local excess = state.tombs - MAX_DELETED
if excess > 0 then
  state.purged = tonumber(redis.call('ZRANGE', deleted, excess - 1, excess - 1, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', deleted, 0, excess - 1)
  state.tombs = MAX_DELETED
end
if state.began == 0 then state.began = at end
rememberLatest(meta, state)
if left ~= '' then remember(first, at) end
if isDue then
  tidyLog(log, meta, state, from, keepMs, keepUnread)
  if expiresMs > 0 then redis.call('PEXPIRE', meta, math.max(expiresMs, keepMs) + LATEST_META_MS) else redis.call('PERSIST', meta) end
end
if isDue or isBare and expiresMs > 0 then
  for _, key in ipairs({latest, places, deleted}) do
    if expiresMs > 0 then redis.call('PEXPIRE', key, expiresMs + dueMs) else redis.call('PERSIST', key) end
  end
end
return {'ok', state.epoch, first, at, withRefused(), times}
`,
  encodeKeys(keys, out) {
    out.push(keys.log, keys.meta, keys.live, keys.cursors, keys.latest, keys.places, keys.deleted);
    for (const each of keys.ids) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(args.producer, encodeInt("number", args.number), encodeInt("keepMs", args.keepMs), encodeInt("maxMessages", args.maxMessages), encodeBool(args.keepUnread), encodeBool(args.refuses), encodeBool(args.waits), encodeInt("dedupeMs", args.dedupeMs), encodeInt("maxKeys", args.maxKeys), encodeInt("expiresMs", args.expiresMs), encodeInt("liveBytes", args.liveBytes), encodeInt("count", args.count));
    for (const each of args.messages) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", epoch: decodeInt(fields[1]), first: decodeInt(fields[2]), at: decodeInt(fields[3]), known: decodeList(fields[4], decodeInt), times: decodeList(fields[5], decodeInt) };
      case "full":
        expectFields(fields, 4);
        return { status: "full", room: decodeInt(fields[1]), epoch: decodeInt(fields[2]), known: decodeList(fields[3], decodeInt), times: decodeList(fields[4], decodeInt) };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of ok, full, late", reply);
    }
  },
};

export interface LatestScanKeys {
  readonly log: Arg;
  readonly meta: Arg;
  readonly latest: Arg;
  readonly places: Arg;
  readonly deleted: Arg;
}

export interface LatestScanArgs {
  readonly after: number;
  /** when that message was appended; 0: not to be compared */
  readonly afterAt: number;
  /** -1: the last */
  readonly upTo: number;
  /** with those; a reader that has seen nothing needs none */
  readonly tombstones: boolean;
  /** of the log; 0: any */
  readonly epoch: number;
  /** of the newest messages; 0: any */
  readonly began: number;
  /** rows */
  readonly limit: number;
  /** of them; one row at least */
  readonly bytes: number;
}

export type LatestScanResult =
  | { readonly status: "ok"; readonly epoch: number; readonly began: number; readonly top: number; readonly at: number; readonly reached: number; readonly rows: Buffer[] }
  | { readonly status: "reset" };

/**
 * The newest messages of keys in the order of their offsets: those above `after`, up to `upTo`, as many as fit.
 * `reset`: they do not continue what a reader has that is at `after`.
 */
export const latestScan: Script<LatestScanKeys, LatestScanArgs, LatestScanResult> = {
  class: "idempotent",
  name: "topic.latestScan",
  sha1: "03cde6e8821098b7e5574d37b98fc211b585ac6d",
  lua: `-- topic.latestScan
${NOW}${LOG}${LATEST}local log, meta, latest, places, deleted = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local after, afterAt, upTo, tombstones, epoch, began, limit, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local state = latestState(log, meta, latest, places, deleted, '')
local epochNow = state.isNew and 0 or state.epoch
if epoch > 0 and epochNow ~= epoch or began > 0 and state.began ~= began or after > state.head then return 'reset' end
if tombstones and after < state.purged then return 'reset' end
local first, last, at = 0, 0, '0'
local function timeAt(offset)
  if offset > last then
    local entry = offset >= state.first and redis.call('XRANGE', log, string.format('%.0f', offset), '+', 'COUNT', 1)[1]
    if not entry then return '0' end
    first, last = offsetsOf(entry)
    at = entry[2][2]
  end
  return offset >= first and at or '0'
end
if afterAt > 0 then
  local time = tonumber(timeAt(after))
  if time > 0 and time ~= afterAt then return 'reset' end
  if state.began > afterAt then return 'reset' end
end
local top = upTo < 0 and state.head or upTo
local above = string.format('(%.0f', after)
local function rowsOf(key)
  return redis.call('ZRANGEBYSCORE', key, above, top, 'WITHSCORES', 'LIMIT', 0, limit)
end
local set, gone = rowsOf(places), tombstones and rowsOf(deleted) or {}
local rows, size, reached, nextSet, nextGone = {}, 0, after, 1, 1
while #rows < limit and size < bytes do
  local setAt, goneAt = tonumber(set[nextSet + 1]), tonumber(gone[nextGone + 1])
  if not setAt and not goneAt then
    reached = top
    break
  end
  if not goneAt or setAt and setAt < goneAt then
    rows[#rows + 1] = redis.call('HGET', latest, set[nextSet])
    reached, nextSet = setAt, nextSet + 2
  else
    rows[#rows + 1] = string.format('%.0f %s\\n', goneAt, timeAt(goneAt)) .. gone[nextGone]
    reached, nextGone = goneAt, nextGone + 2
  end
  size = size + #rows[#rows]
end
if not set[nextSet] and not gone[nextGone] and #set < 2 * limit and #gone < 2 * limit then reached = top end
return {'ok', epochNow, state.began, top, state.at, reached, rows}
`,
  encodeKeys(keys, out) {
    out.push(keys.log, keys.meta, keys.latest, keys.places, keys.deleted);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("after", args.after), encodeInt("afterAt", args.afterAt), encodeInt("upTo", args.upTo), encodeBool(args.tombstones), encodeInt("epoch", args.epoch), encodeInt("began", args.began), encodeInt("limit", args.limit), encodeInt("bytes", args.bytes));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 6);
        return { status: "ok", epoch: decodeInt(fields[1]), began: decodeInt(fields[2]), top: decodeInt(fields[3]), at: decodeInt(fields[4]), reached: decodeInt(fields[5]), rows: decodeList(fields[6], decodeBytes) };
      case "reset":
        expectFields(fields, 0);
        return { status: "reset" };
      default:
        throw new UnexpectedReplyError("one of ok, reset", reply);
    }
  },
};

export interface OrderedBeatKeys {
  /** id -> the time until which it counts as alive, for how long that is, and the process */
  readonly members: Arg;
  /** of the subscription */
  readonly registry: Arg;
  /** of all subscriptions */
  readonly names: Arg;
}

export interface OrderedBeatArgs {
  readonly name: string;
  readonly id: string;
  readonly token: string;
  /** 0: it leaves */
  readonly ttlMs: number;
  /** it takes the place of a former process of this id */
  readonly joins: boolean;
  /** how long the subscription outlives its last use; 0: for ever */
  readonly keepMs: number;
  readonly channel: string;
  readonly wakeKey: string;
}

export type OrderedBeatResult =
  | { readonly status: "ok"; readonly live: string[] }
  | { readonly status: "replaced" }
  | { readonly status: "removed" }
  | { readonly status: "missing" };

/**
 * Says that a member lives, and who else does. A member that joins, leaves or is gone wakes the others. `replaced`: another process has
 * taken its place; `missing`: the server has lost the subscription.
 */
export const orderedBeat: Script<OrderedBeatKeys, OrderedBeatArgs, OrderedBeatResult> = {
  class: "idempotent",
  name: "topic.orderedBeat",
  sha1: "7306353664b176c1cedd4f029bc801bfa0bda3c9",
  lua: `-- topic.orderedBeat
${NOW}local members, registry, names = KEYS[1], KEYS[2], KEYS[3]
local name, id, token, ttlMs, joins, keepMs, channel, wakeKey = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6]), ARGV[7], ARGV[8]
local isNews, isFull, live, gone, sooner = false, false, {}, {}, {}
local known = redis.call('HGETALL', members)
for at = 1, #known, 2 do
  local untilMs, termMs, process = string.match(known[at + 1], '^(%d+) (%d+) (.*)$')
  if tonumber(untilMs) - now() > tonumber(termMs) then
    untilMs = now() + termMs
    sooner[#sooner + 1], sooner[#sooner + 2] = known[at], string.format('%.0f %s %s', untilMs, termMs, process)
  end
  if known[at] == id then
    if process ~= token and not joins and tonumber(untilMs) > now() then return 'replaced' end
    isFull = process == token
  elseif tonumber(untilMs) > now() then
    live[#live + 1] = known[at]
  else
    gone[#gone + 1] = known[at]
  end
end
if ttlMs > 0 then
  local kind = redis.call('HGET', registry, 'kind')
  if not kind then return 'missing' end
  if kind == 'removed' then return 'removed' end
  if #sooner > 0 then redis.call('HSET', members, unpack(sooner)) end
  redis.call('HSET', members, id, string.format('%.0f %.0f %s', now() + ttlMs, ttlMs, token))
  redis.call('SADD', names, name)
  redis.call('PEXPIRE', members, ttlMs * 2)
  if keepMs > 0 then redis.call('PEXPIRE', registry, keepMs) else redis.call('PERSIST', registry) end
  live[#live + 1] = id
  isNews = not isFull
elseif isFull then
  redis.call('HDEL', members, id)
  isNews = true
end
if #gone > 0 then
  redis.call('HDEL', members, unpack(gone))
  isNews = true
end
if isNews then redis.call('PUBLISH', channel, wakeKey) end
return {'ok', live}
`,
  encodeKeys(keys, out) {
    out.push(keys.members, keys.registry, keys.names);
  },
  encodeArgs(args, out) {
    out.push(args.name, args.id, args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.joins), encodeInt("keepMs", args.keepMs), args.channel, args.wakeKey);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", live: decodeList(fields[1], decodeText) };
      case "replaced":
        expectFields(fields, 0);
        return { status: "replaced" };
      case "removed":
        expectFields(fields, 0);
        return { status: "removed" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, replaced, removed, missing", reply);
    }
  },
};

export interface OrderedCommitKeys {
  readonly state: Arg;
  readonly cursors: Arg;
  readonly log: Arg;
  readonly meta: Arg;
  readonly redriven: Arg;
  /** of the dead letters */
  readonly records: Arg;
}

export interface OrderedCommitArgs {
  readonly name: string;
  readonly fence: number;
  /** of the commit, rising under one fence: by it one that is sent again is known */
  readonly number: number;
  readonly expected: number;
  readonly cursor: number;
  readonly epoch: number;
  /** when the message at the cursor was published; 0: it is not looked at */
  readonly at: number;
  readonly keepMs: number;
  /** deliveries of what has failed and is not passed: `offset:n ...` */
  readonly tries: string;
  /** redriven ones that are handled: name and token of each, at the beginning of `rest` */
  readonly letters: number;
  /** of the subscription's state: so many fields with their values, behind them; the fields that go are the last */
  readonly sets: number;
  /** of the state, after that */
  readonly names: number;
  readonly rest: readonly Arg[];
}

export type OrderedCommitResult =
  | { readonly status: "ok" }
  | { readonly status: "stale" }
  | { readonly status: "lost" };

/**
 * Moves a partition's cursor on, for its owner, from where the owner believes it to be, and settles what it has handled besides. `stale`: another owns it,
 * or the cursor was moved; `lost`: the log has other messages by now.
 * A failover may have lost the end of the log, and other messages may stand at the same offsets: so the message at the cursor must be
 * the one that was read.
 */
export const orderedCommit: Script<OrderedCommitKeys, OrderedCommitArgs, OrderedCommitResult> = {
  class: "idempotent",
  name: "topic.orderedCommit",
  sha1: "8c2ae2f964c7e6776398eee0ddc57cd8227754e8",
  lua: `-- topic.orderedCommit
${NOW}${USED_UNTIL}local state, cursors, log, meta, redriven, records = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local name, fence, number, expected, cursor, epoch, at, keepMs, tries, letters, sets, names = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local rest = {}
for i = 13, #ARGV do rest[i - 12] = ARGV[i] end
local CHUNK = 2000
local known = redis.call('HMGET', state, 'fence', 'cursor', 'tries', 'lost', 'commit')
if tonumber(known[1]) ~= fence then return 'stale' end
local last = tonumber(known[5]) or 0
if last == number then return 'ok' end
if last > number or tonumber(known[2]) ~= expected then return 'stale' end
if at > 0 then
  local entry = redis.call('XRANGE', log, cursor, '+', 'COUNT', 1)[1]
  if entry then
    local last, of = string.match(entry[1], '^(%d+)-(%d+)$')
    local isThere = tonumber(last) - tonumber(entry[2][4]) < cursor
    if isThere and (tonumber(of) ~= epoch or tonumber(entry[2][2]) ~= at) then return 'lost' end
  else
    local tail = redis.call('HMGET', meta, 'head', 'epoch')
    if tonumber(tail[1] or 0) < cursor or tonumber(tail[2]) ~= epoch then return 'lost' end
  end
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', epoch, 'commit', number)
local firstSet, firstDelete = letters * 2 + 1, (letters + sets) * 2 + 1
for at = 1, letters * 2, 2 do
  if redis.call('ZSCORE', redriven, rest[at]) == rest[at + 1] then
    redis.call('ZREM', redriven, rest[at])
    redis.call('HDEL', records, rest[at])
  end
end
if #rest >= firstSet then
  redis.call('HSET', state, 'names', names)
  for at = firstSet, firstDelete - 1, CHUNK do redis.call('HSET', state, unpack(rest, at, math.min(at + CHUNK, firstDelete) - 1)) end
  for at = firstDelete, #rest, CHUNK do redis.call('HDEL', state, unpack(rest, at, math.min(at + CHUNK - 1, #rest))) end
end
if known[4] then redis.call('HDEL', state, 'lost') end
if tries ~= (known[3] or '') then redis.call('HSET', state, 'tries', tries) end
used(state, cursors, name, cursor, keepMs)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.cursors, keys.log, keys.meta, keys.redriven, keys.records);
  },
  encodeArgs(args, out) {
    out.push(args.name, encodeInt("fence", args.fence), encodeInt("number", args.number), encodeInt("expected", args.expected), encodeInt("cursor", args.cursor), encodeInt("epoch", args.epoch), encodeInt("at", args.at), encodeInt("keepMs", args.keepMs), args.tries, encodeInt("letters", args.letters), encodeInt("sets", args.sets), encodeInt("names", args.names));
    for (const each of args.rest) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, stale, lost", reply);
    }
  },
};

export interface OrderedCreateKeys {
  readonly state: Arg;
  readonly log: Arg;
  /** of the log */
  readonly meta: Arg;
  /** what retention looks at */
  readonly cursors: Arg;
}

export interface OrderedCreateArgs {
  readonly name: string;
  /** the cursor; -1: the end */
  readonly from: number;
  /** that it belongs to; 0: none yet */
  readonly epoch: number;
  /** there was one, and the server has lost it: the first owner says so */
  readonly lost: boolean;
  /** how long it outlives its last use; 0: for ever */
  readonly keepMs: number;
}

export type OrderedCreateResult =
  | { readonly status: "created" }
  | { readonly status: "exists" };

/** Makes a subscription's cursor in one partition, unless it is there. */
export const orderedCreate: Script<OrderedCreateKeys, OrderedCreateArgs, OrderedCreateResult> = {
  class: "idempotent",
  name: "topic.orderedCreate",
  sha1: "67476912647c10c9c7dec5cbb6356881357ac3bd",
  lua: `-- topic.orderedCreate
${NOW}${LOG}${USED_UNTIL}local state, log, meta, cursors = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, from, epoch, lost, keepMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
if redis.call('HEXISTS', state, 'cursor') == 1 then return 'exists' end
local cursor, known = from, epoch
if from < 0 then
  local tail = logState(log, meta, '')
  cursor, known = tail.head, tail.head > 0 and tail.epoch or 0
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', known)
if lost then redis.call('HSET', state, 'lost', 1) end
used(state, cursors, name, cursor, keepMs)
return 'created'
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta, keys.cursors);
  },
  encodeArgs(args, out) {
    out.push(args.name, encodeInt("from", args.from), encodeInt("epoch", args.epoch), encodeBool(args.lost), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "created":
        expectFields(fields, 0);
        return { status: "created" };
      case "exists":
        expectFields(fields, 0);
        return { status: "exists" };
      default:
        throw new UnexpectedReplyError("one of created, exists", reply);
    }
  },
};

export interface OrderedReleaseKeys {
  readonly state: Arg;
}

export interface OrderedReleaseArgs {
  readonly fence: number;
  readonly channel: string;
  readonly wakeKey: string;
}

export type OrderedReleaseResult =
  | { readonly status: "ok" }
  | { readonly status: "stale" };

/** Gives a partition back, and wakes the members: the next one takes it at once. */
export const orderedRelease: Script<OrderedReleaseKeys, OrderedReleaseArgs, OrderedReleaseResult> = {
  class: "idempotent",
  name: "topic.orderedRelease",
  sha1: "45b23134f5af1b8d2b7bd5f700770e516d9223d4",
  lua: `-- topic.orderedRelease
local state = KEYS[1]
local fence, channel, wakeKey = tonumber(ARGV[1]), ARGV[2], ARGV[3]
if tonumber(redis.call('HGET', state, 'fence')) ~= fence then return 'stale' end
redis.call('HDEL', state, 'owner', 'token', 'until')
redis.call('PUBLISH', channel, wakeKey)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("fence", args.fence), args.channel, args.wakeKey);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface OrderedRenewKeys {
  readonly state: Arg;
  readonly cursors: Arg;
  readonly redriven: Arg;
}

export interface OrderedRenewArgs {
  readonly name: string;
  readonly fence: number;
  readonly leaseMs: number;
  readonly keepMs: number;
}

export type OrderedRenewResult =
  | { readonly status: "ok"; readonly redriven: number }
  | { readonly status: "stale" };

/** Keeps a partition for its owner, and says up to where dead letters were put back. `stale`: another has it, or its cursor was moved. */
export const orderedRenew: Script<OrderedRenewKeys, OrderedRenewArgs, OrderedRenewResult> = {
  class: "idempotent",
  name: "topic.orderedRenew",
  sha1: "3e46bbe26f39ecf92ab1fad162c09702a8fb7c88",
  lua: `-- topic.orderedRenew
${NOW}${REDRIVEN}${USED_UNTIL}local state, cursors, redriven = KEYS[1], KEYS[2], KEYS[3]
local name, fence, leaseMs, keepMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', state, 'fence', 'cursor')
if tonumber(known[1]) ~= fence then return 'stale' end
redis.call('HSET', state, 'until', now() + leaseMs, 'leaseMs', leaseMs)
used(state, cursors, name, tonumber(known[2]), keepMs)
return {'ok', newestRedriven(redriven)}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.cursors, keys.redriven);
  },
  encodeArgs(args, out) {
    out.push(args.name, encodeInt("fence", args.fence), encodeInt("leaseMs", args.leaseMs), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", redriven: decodeFloat(fields[1]) };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface OrderedSeekKeys {
  readonly state: Arg;
  readonly log: Arg;
  readonly meta: Arg;
  readonly cursors: Arg;
}

export interface OrderedSeekArgs {
  readonly name: string;
  /** the cursor; -1: the end */
  readonly from: number;
  readonly epoch: number;
  /** what the subscription keeps as its state goes */
  readonly clears: boolean;
  readonly keepMs: number;
  readonly channel: string;
  readonly wakeKey: string;
}

export type OrderedSeekResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" };

/** Moves a partition's cursor for whoever owns it: what is in flight is fenced, and its owner, woken, begins again from there. */
export const orderedSeek: Script<OrderedSeekKeys, OrderedSeekArgs, OrderedSeekResult> = {
  class: "idempotent",
  name: "topic.orderedSeek",
  sha1: "81fa91b68a25a528092b4481a12d5d876b726bab",
  lua: `-- topic.orderedSeek
${NOW}${LOG}${USED_UNTIL}local state, log, meta, cursors = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, from, epoch, clears, keepMs, channel, wakeKey = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6], ARGV[7]
local last = redis.call('HMGET', state, 'fence', 'cursor')
if not last[2] then return 'missing' end
local cursor, known = from, epoch
if from < 0 then
  local tail = logState(log, meta, '')
  cursor, known = tail.head, tail.head > 0 and tail.epoch or 0
end
local fence = string.format('%.0f', math.max((tonumber(last[1]) or 0) + 1, nowMicros()))
if clears then
  local leftMs = redis.call('PTTL', state)
  redis.call('UNLINK', state)
  redis.call('HSET', state, 'cursor', cursor)
  if leftMs > 0 then redis.call('PEXPIRE', state, leftMs) end
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', known, 'fence', fence)
redis.call('HDEL', state, 'tries', 'lost')
used(state, cursors, name, cursor, keepMs)
redis.call('PUBLISH', channel, wakeKey)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta, keys.cursors);
  },
  encodeArgs(args, out) {
    out.push(args.name, encodeInt("from", args.from), encodeInt("epoch", args.epoch), encodeBool(args.clears), encodeInt("keepMs", args.keepMs), args.channel, args.wakeKey);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface OrderedTakeKeys {
  readonly state: Arg;
  readonly redriven: Arg;
}

export interface OrderedTakeArgs {
  /** the member */
  readonly owner: string;
  /** the process */
  readonly token: string;
  readonly leaseMs: number;
}

export type OrderedTakeResult =
  | { readonly status: "ok"; readonly fence: number; readonly cursor: number; readonly epoch: number; readonly lost: boolean; readonly tries: string; readonly redriven: number; readonly names: number }
  | { readonly status: "busy"; readonly leftMs: number }
  | { readonly status: "missing" };

/**
 * Takes a partition that nobody owns, or whose owner has not renewed in time; one's own, or that of a former process of the same
 * member, at once. Each owner has a higher fence, also where the server has lost the last one.
 */
export const orderedTake: Script<OrderedTakeKeys, OrderedTakeArgs, OrderedTakeResult> = {
  class: "idempotent",
  name: "topic.orderedTake",
  sha1: "78fbfe8c96d2817f365f90a0326559941f0c3587",
  lua: `-- topic.orderedTake
${NOW}${REDRIVEN}local state, redriven = KEYS[1], KEYS[2]
local owner, token, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local held = redis.call('HMGET', state, 'cursor', 'epoch', 'fence', 'owner', 'token', 'until', 'lost', 'tries', 'leaseMs', 'names')
local cursor, epoch, last, holder, holding, untilMs = unpack(held)
if not cursor then return 'missing' end
local leftMs = (tonumber(untilMs) or 0) - now()
if holding and holding ~= token and holder ~= owner and leftMs > 0 then
  local wholeMs = tonumber(held[9]) or leftMs
  if leftMs > wholeMs then
    redis.call('HSET', state, 'until', now() + wholeMs)
    leftMs = wholeMs
  end
  return {'busy', leftMs}
end
local fence = string.format('%.0f', math.max((tonumber(last) or 0) + 1, nowMicros()))
redis.call('HSET', state, 'fence', fence, 'owner', owner, 'token', token, 'until', now() + leaseMs, 'leaseMs', leaseMs)
redis.call('HDEL', state, 'commit')
return {'ok', fence, cursor, epoch, held[7] and 1 or 0, held[8] or '', newestRedriven(redriven), held[10] or 0}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.redriven);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 7);
        return { status: "ok", fence: decodeInt(fields[1]), cursor: decodeInt(fields[2]), epoch: decodeInt(fields[3]), lost: decodeBool(fields[4]), tries: decodeText(fields[5]), redriven: decodeFloat(fields[6]), names: decodeInt(fields[7]) };
      case "busy":
        expectFields(fields, 1);
        return { status: "busy", leftMs: decodeInt(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, busy, missing", reply);
    }
  },
};

export interface SharedClaimKeys {
  /** of the log */
  readonly meta: Arg;
  readonly log: Arg;
  readonly state: Arg;
  readonly cursors: Arg;
  readonly redriven: Arg;
  /** answer to this consumer's last claim */
  readonly claimed: Arg;
}

export interface SharedClaimArgs {
  readonly subscription: string;
  /** rises with each claim of this consumer */
  readonly op: number;
  /** whether it may be a copy, or sent again */
  readonly check: boolean;
  readonly count: number;
  readonly visibilityMs: number;
  /** how long the subscription outlives its last use; 0: for ever */
  readonly expiresMs: number;
  /** where the subscription begins if it is new: the offset before, or -1 for the end */
  readonly start: number;
  /** the newest message that the consumer knows of, when it was appended (0: none), and the epoch of its log */
  readonly seen: number;
  readonly seenAt: number;
  readonly seenEpoch: number;
}

export type SharedClaimResult =
  | { readonly status: "claimed"; readonly epoch: number; readonly generation: number; readonly head: number; readonly at: number; readonly from: number; readonly count: number; readonly now: number; readonly nextDue: number; readonly due: { readonly member: string; readonly tag: number }[]; readonly gone: number; readonly lost: boolean; readonly ageMs: number }
  | { readonly status: "late" };

/** Claims messages for a consumer: first those that are due again, then new ones. With `count` 0 it only makes sure that the subscription is there. */
export const sharedClaim: Script<SharedClaimKeys, SharedClaimArgs, SharedClaimResult> = {
  class: "dedupable",
  name: "topic.sharedClaim",
  sha1: "63c63705a6ef9760a37de57c6473730458e55a4d",
  lua: `-- topic.sharedClaim
${NOW}${SHARED}local meta, log, state, cursors, redriven, claimed = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local subscription, op, check, count, visibilityMs, expiresMs, start, seen, seenAt, seenEpoch = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local MIN_FLOOR_MS = 1000
if check then
  local before = redis.call('GET', claimed)
  if before then
    local answered = cmsgpack.unpack(before)
    if answered[1] == op then
      local again = answered[2]
      again[13] = math.max(now() - tonumber(again[8]), 0)
      return again
    end
    if answered[1] > op then return {'late'} end
  end
end
local t = now()
local head, epoch, first, headAt = logHead(meta, log)
local isLost = seenAt > 0 and seenEpoch == epoch and not isThere(log, head, headAt, seen, seenAt)
redis.call('ZREM', state, '')
local s = loadState(state)
if not s then
  local cursor = tonumber(string.match(redis.call('HGET', cursors, subscription) or '', '^%d+'))
  local before = cursor or (start >= 0 and start or head)
  s = makeState(state, redriven, { e = epoch, f = math.min(before, head), g = t, m = 0, t = 0 })
elseif epoch > 0 and s.e ~= epoch then
  if s.e > 0 then s = makeState(state, redriven, { e = epoch, f = 0, g = math.max(s.g + 1, t), m = 0, t = 0 }) end
  s.e = epoch
  redis.call('ZADD', state, whole(-1 - epoch), 'e')
end
local answer = {'claimed', whole(epoch > 0 and epoch or s.e), whole(s.g), head, whole(headAt), 0, 0, whole(t), -1, {}, 0, isLost and 1 or 0, 0}
local add, due = {}, {}
if count > 0 then
  due = redis.call('ZRANGE', state, 0, whole(t * TAGS + TAGS - 1), 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  local dueAt = (t + visibilityMs) * TAGS
  local again = answer[10]
  for at = 1, #due, 2 do
    local tag = nextTag(due[at + 1] % TAGS)
    again[at], again[at + 1] = due[at], tag
    add[at], add[at + 1] = whole(dueAt + tag), due[at]
  end
  if #due > 0 then
    s.m = math.max(s.m, math.floor(due[#due] / TAGS))
    add[#add + 1], add[#add + 2] = whole(-1 - s.m), 'm'
  end
  local frontier = math.max(s.f, first - 1)
  answer[6], answer[11] = frontier + 1, frontier - s.f
  local fresh = math.max(math.min(count - #due / 2, head - frontier), 0)
  if #due / 2 + fresh < count then
    local nextOne = redis.call('ZRANGE', state, '(' .. whole(t * TAGS + TAGS - 1), '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
    if nextOne then answer[9] = whole(math.floor(nextOne / TAGS)) end
  end
  if fresh > 0 then
    local score = whole(dueAt + 1)
    local format = string.format
    local at = #add
    for offset = frontier + 1, frontier + fresh do
      add[at + 1], add[at + 2] = score, format('%d', offset)
      at = at + 2
    end
    answer[7] = fresh
    frontier = frontier + fresh
  end
  if frontier > s.f then
    s.f = frontier
    add[#add + 1], add[#add + 2] = whole(-1 - frontier), 'f'
  end
end
for at = 1, #add, CHUNK do redis.call('ZADD', state, unpack(add, at, math.min(at + CHUNK - 1, #add))) end
local pending = redis.call('ZCARD', state) - OWN
if t - s.t >= math.max(MIN_FLOOR_MS, math.min(pending, MAX_WALK)) then
  local floor = s.f
  if pending > MAX_WALK then
    floor = tonumber(string.match(redis.call('HGET', cursors, subscription) or '0', '^%d+'))
  elseif pending > 0 then
    for _, member in ipairs(redis.call('ZRANGE', state, OWN, -1)) do
      local offset = tonumber(member)
      if offset and offset <= floor then floor = offset - 1 end
    end
  end
  passTo(cursors, subscription, floor, t, expiresMs)
  redis.call('ZADD', state, whole(-1 - t), 't')
  if expiresMs > 0 then redis.call('PEXPIRE', state, expiresMs) else redis.call('PERSIST', state) end
end
if #add > 0 then redis.call('SET', claimed, cmsgpack.pack({op, answer}), 'PX', visibilityMs) end
return answer
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.log, keys.state, keys.cursors, keys.redriven, keys.claimed);
  },
  encodeArgs(args, out) {
    out.push(args.subscription, encodeInt("op", args.op), encodeBool(args.check), encodeInt("count", args.count), encodeInt("visibilityMs", args.visibilityMs), encodeInt("expiresMs", args.expiresMs), encodeInt("start", args.start), encodeInt("seen", args.seen), encodeInt("seenAt", args.seenAt), encodeInt("seenEpoch", args.seenEpoch));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "claimed":
        expectFields(fields, 12);
        return { status: "claimed", epoch: decodeInt(fields[1]), generation: decodeInt(fields[2]), head: decodeInt(fields[3]), at: decodeInt(fields[4]), from: decodeInt(fields[5]), count: decodeInt(fields[6]), now: decodeInt(fields[7]), nextDue: decodeInt(fields[8]), due: decodeRows(fields[9], 2, (flat, at) => ({ member: decodeText(flat[at]), tag: decodeInt(flat[at + 1]) })), gone: decodeInt(fields[10]), lost: decodeBool(fields[11]), ageMs: decodeInt(fields[12]) };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of claimed, late", reply);
    }
  },
};

export interface SharedLagKeys {
  /** of the log */
  readonly meta: Arg;
  readonly log: Arg;
  readonly state: Arg;
}

export type SharedLagArgs = None;

export type SharedLagResult =
  | { readonly status: "missing"; readonly now: number; readonly head: number }
  | { readonly status: "ok"; readonly now: number; readonly head: number; readonly frontier: number; readonly pending: number; readonly redelivered: number; readonly lowest: number };

/** Returns how far a subscription is behind in one partition. */
export const sharedLag: Script<SharedLagKeys, SharedLagArgs, SharedLagResult> = {
  class: "read",
  name: "topic.sharedLag",
  sha1: "26313342a2d7ed3f5f912808ea188e885f811d2b",
  lua: `-- topic.sharedLag
${NOW}${SHARED}local meta, log, state = KEYS[1], KEYS[2], KEYS[3]
local head = logHead(meta, log)
local s = loadState(state)
if not s then return {'missing', whole(now()), head} end
local pending = redis.call('ZCARD', state) - OWN
local lowest, redelivered = 0, 0
if pending > 0 and pending <= MAX_WALK then
  local members = redis.call('ZRANGE', state, OWN, -1, 'WITHSCORES')
  for at = 1, #members, 2 do
    local offset = tonumber(members[at])
    if offset and (lowest == 0 or offset < lowest) then lowest = offset end
    if members[at + 1] % ROUND > 1 then redelivered = redelivered + 1 end
  end
end
return {'ok', whole(now()), head, s.f, pending, redelivered, lowest}
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.log, keys.state);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "missing":
        expectFields(fields, 2);
        return { status: "missing", now: decodeInt(fields[1]), head: decodeInt(fields[2]) };
      case "ok":
        expectFields(fields, 6);
        return { status: "ok", now: decodeInt(fields[1]), head: decodeInt(fields[2]), frontier: decodeInt(fields[3]), pending: decodeInt(fields[4]), redelivered: decodeInt(fields[5]), lowest: decodeInt(fields[6]) };
      default:
        throw new UnexpectedReplyError("one of missing, ok", reply);
    }
  },
};

export interface SharedSeekKeys {
  /** of the log */
  readonly meta: Arg;
  readonly log: Arg;
  readonly state: Arg;
  readonly cursors: Arg;
  readonly redriven: Arg;
}

export interface SharedSeekArgs {
  readonly subscription: string;
  /** the offset before the next one; -1: the last one */
  readonly before: number;
  /** as in a claim; below 0: as long as before */
  readonly expiresMs: number;
  readonly wakeChannel: string;
  readonly wake: string;
}

export type SharedSeekResult = number;

/** Lets a subscription go on from another place. What is claimed is claimed no more. */
export const sharedSeek: Script<SharedSeekKeys, SharedSeekArgs, SharedSeekResult> = {
  class: "idempotent",
  name: "topic.sharedSeek",
  sha1: "a93264a8d3e1aa91d49c8682ae87ff459765c129",
  lua: `-- topic.sharedSeek
${NOW}${SHARED}local meta, log, state, cursors, redriven = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local subscription, before, expiresMs, wakeChannel, wake = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local head, epoch = logHead(meta, log)
local s = loadState(state)
local frontier = before < 0 and head or math.min(before, head)
local leftMs = expiresMs < 0 and math.max(redis.call('PTTL', state), 0) or expiresMs
local generation = math.max(s and s.g + 1 or 0, now())
makeState(state, redriven, { e = epoch, f = frontier, g = generation, m = 0, t = now() })
passTo(cursors, subscription, frontier, now(), leftMs)
if leftMs > 0 then redis.call('PEXPIRE', state, leftMs) end
redis.call('PUBLISH', wakeChannel, wake)
return whole(generation)
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.log, keys.state, keys.cursors, keys.redriven);
  },
  encodeArgs(args, out) {
    out.push(args.subscription, encodeInt("before", args.before), encodeInt("expiresMs", args.expiresMs), args.wakeChannel, args.wake);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface SharedSettleKeys {
  /** of the log */
  readonly meta: Arg;
  readonly log: Arg;
  readonly state: Arg;
  /** of the dead letters */
  readonly records: Arg;
  readonly redriven: Arg;
}

export interface SharedSettleArgs {
  readonly generation: number;
  /** when the first of `acks` is due, as far as the consumer knows */
  readonly dueAt: number;
  /** so many members at the beginning of `rest` are acknowledged by their claims of then */
  readonly acks: number;
  /** it is sent again: an ack that finds nothing was executed before */
  readonly again: boolean;
  /** the newest message among them, when it was appended (0: it is not looked at), and the epoch of its log */
  readonly newest: number;
  readonly newestAt: number;
  readonly epoch: number;
  readonly wakeChannel: string;
  /** who is to look for what is put back; empty: nobody */
  readonly wake: string;
  /** the acks; then member, tag, verb, ms of each other one. Verbs: `ack`; `due` (to be claimed in `ms`), `release` (the same, */
  readonly rest: readonly string[];
}

export type SharedSettleResult =
  | { readonly status: "ok"; readonly stale: string[] }
  | { readonly status: "fenced" }
  | { readonly status: "lost" }
  | { readonly status: "doubtful" };

/** Acknowledges, puts back and extends claimed messages, those of a tick and partition together. */
export const sharedSettle: Script<SharedSettleKeys, SharedSettleArgs, SharedSettleResult> = {
  class: "idempotent",
  name: "topic.sharedSettle",
  sha1: "2111849617d3e6ab89b312c2e133f2a9e2bfeea2",
  lua: `-- topic.sharedSettle
${NOW}${SHARED}local meta, log, state, records, redriven = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local generation, dueAt, acks, again, newest, newestAt, epoch, wakeChannel, wake = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local rest = {}
for i = 10, #ARGV do rest[i - 9] = ARGV[i] end
local WIDTH = 4
local s = loadState(state)
if not s or s.g ~= generation then return {'fenced'} end
if newestAt > 0 then
  local head, epochNow, _, headAt = logHead(meta, log)
  if epochNow ~= epoch or not isThere(log, head, headAt, newest, newestAt) then return {'lost'} end
end
if acks > 0 and dueAt <= s.m then return {'doubtful'} end
for at = 1, acks, CHUNK do redis.call('ZREM', state, unpack(rest, at, math.min(at + CHUNK - 1, acks))) end
if #rest == acks then return {'ok', {}} end
redis.call('ZREM', state, '')
local stale, members, add, remove, done = {}, {}, {}, {}, {}
for at = acks + 1, #rest, WIDTH do members[#members + 1] = rest[at] end
local t = now()
local scores = {}
for at = 1, #members, CHUNK do
  for _, score in ipairs(redis.call('ZMSCORE', state, unpack(members, at, math.min(at + CHUNK - 1, #members)))) do
    scores[#scores + 1] = score
  end
end
for index, member in ipairs(members) do
  local at = acks + (index - 1) * WIDTH + 1
  local tag, verb, ms = tonumber(rest[at + 1]), rest[at + 2], tonumber(rest[at + 3])
  if not scores[index] or scores[index] % TAGS ~= tag then
    if scores[index] or verb ~= 'ack' or not again then stale[#stale + 1] = member end
  elseif verb == 'ack' then
    remove[#remove + 1] = member
    done[member] = true
    local letter = string.match(member, '^c(.+)$')
    if letter then
      redis.call('HDEL', records, letter)
      redis.call('ZREM', redriven, letter)
    end
  else
    if verb == 'release' then tag = releasedTag(tag) end
    local due = t + ms
    if verb == 'extend' then due = math.max(due, math.floor(scores[index] / TAGS)) end
    add[#add + 1] = whole(due * TAGS + tag)
    add[#add + 1] = member
  end
end
if #remove > 0 then
  local kept = {}
  for at = 1, #add, 2 do
    if not done[add[at + 1]] then kept[#kept + 1], kept[#kept + 2] = add[at], add[at + 1] end
  end
  add = kept
end
for at = 1, #remove, CHUNK do redis.call('ZREM', state, unpack(remove, at, math.min(at + CHUNK - 1, #remove))) end
for at = 1, #add, CHUNK do redis.call('ZADD', state, unpack(add, at, math.min(at + CHUNK - 1, #add))) end
if wake ~= '' and #add > 0 then redis.call('PUBLISH', wakeChannel, wake) end
return {'ok', stale}
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.log, keys.state, keys.records, keys.redriven);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("generation", args.generation), encodeInt("dueAt", args.dueAt), encodeInt("acks", args.acks), encodeBool(args.again), encodeInt("newest", args.newest), encodeInt("newestAt", args.newestAt), encodeInt("epoch", args.epoch), args.wakeChannel, args.wake);
    for (const each of args.rest) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", stale: decodeList(fields[1], decodeText) };
      case "fenced":
        expectFields(fields, 0);
        return { status: "fenced" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      case "doubtful":
        expectFields(fields, 0);
        return { status: "doubtful" };
      default:
        throw new UnexpectedReplyError("one of ok, fenced, lost, doubtful", reply);
    }
  },
};

export interface SubscriptionRegisterKeys {
  readonly registry: Arg;
  readonly names: Arg;
}

export interface SubscriptionRegisterArgs {
  readonly name: string;
  readonly kind: string;
  /** how long it outlives its last use; 0: for ever */
  readonly keepMs: number;
}

export type SubscriptionRegisterResult =
  | { readonly status: "ok" }
  | { readonly status: "conflict"; readonly kind: string };

/** Registers a subscription of a topic under its name, unless it is there. */
export const subscriptionRegister: Script<SubscriptionRegisterKeys, SubscriptionRegisterArgs, SubscriptionRegisterResult> = {
  class: "idempotent",
  name: "topic.subscriptionRegister",
  sha1: "91b622b74cf09133445c0c7fa6dbc4b78bbbf3f6",
  lua: `-- topic.subscriptionRegister
${NOW}local registry, names = KEYS[1], KEYS[2]
local name, kind, keepMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = redis.call('HGET', registry, 'kind')
if known == 'removed' then known = false end
if known and known ~= kind then return {'conflict', known} end
if not known then redis.call('HSET', registry, 'kind', kind, 'createdAt', now()) end
if keepMs > 0 then redis.call('PEXPIRE', registry, keepMs) else redis.call('PERSIST', registry) end
redis.call('SADD', names, name)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.registry, keys.names);
  },
  encodeArgs(args, out) {
    out.push(args.name, args.kind, encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "conflict":
        expectFields(fields, 1);
        return { status: "conflict", kind: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, conflict", reply);
    }
  },
};

export interface SubscriptionRemoveKeys {
  readonly registry: Arg;
  readonly names: Arg;
  readonly members: Arg;
}

export interface SubscriptionRemoveArgs {
  readonly name: string;
  readonly channel: string;
  readonly wakeKey: string;
}

export type SubscriptionRemoveResult = boolean;

/** Removes a subscription's registration; what remains of it for a while ends its members. */
export const subscriptionRemove: Script<SubscriptionRemoveKeys, SubscriptionRemoveArgs, SubscriptionRemoveResult> = {
  class: "idempotent",
  name: "topic.subscriptionRemove",
  sha1: "24d031cff4ac473212c745a7b8cd72aded91b848",
  lua: `-- topic.subscriptionRemove
local registry, names, members = KEYS[1], KEYS[2], KEYS[3]
local name, channel, wakeKey = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HGET', registry, 'kind')
redis.call('DEL', members)
redis.call('SREM', names, name)
if not known or known == 'removed' then return false end
redis.call('DEL', registry)
redis.call('HSET', registry, 'kind', 'removed')
redis.call('PEXPIRE', registry, 3600000)
redis.call('PUBLISH', channel, wakeKey)
return true
`,
  encodeKeys(keys, out) {
    out.push(keys.registry, keys.names, keys.members);
  },
  encodeArgs(args, out) {
    out.push(args.name, args.channel, args.wakeKey);
  },
  decode(reply) {
    return decodeBool(reply);
  },
};
