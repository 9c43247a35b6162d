// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeList, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

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

export interface AppendKeys {
  readonly log: Arg;
  readonly meta: Arg;
  /** sharded channel */
  readonly live: Arg;
  /** where each subscription is */
  readonly cursors: Arg;
  /** of the messages that have one */
  readonly ids: readonly Arg[];
}

export interface AppendArgs {
  readonly producer: string;
  /** of the pack, rising */
  readonly number: number;
  readonly keepMs: number;
  readonly maxMessages: number;
  readonly keepUnread: boolean;
  /** what does not fit is refused, else the oldest go */
  readonly refuses: boolean;
  readonly dedupeMs: number;
  /** the most that go to the listeners with the news */
  readonly liveBytes: number;
  readonly count: number;
  /** all in one; with `ids`: the place of each id's message, then the frames one by one */
  readonly frames: readonly Arg[];
}

export type AppendResult =
  | { readonly status: "ok"; readonly epoch: number; readonly first: number; readonly at: number; readonly known: number[]; readonly times: number[] }
  | { readonly status: "full"; readonly room: number; readonly epoch: number; readonly known: number[]; readonly times: number[] }
  | { readonly status: "late" };

/**
 * Appends a pack of messages to a log.
 * A repetition (the producer's `number` is known) changes nothing and is answered like the first time; a copy that comes after a later
 * one is `late`. A message whose id is known is left out. `full`: there is room for so many of those that are new; nothing was appended.
 * XADD is the first write: where the server takes none, nothing is written.
 */
export const append: Script<AppendKeys, AppendArgs, AppendResult> = {
  class: "dedupable",
  name: "core.log.append",
  sha1: "e87251cfb4aa8a741e71c4b45705238ec514139b",
  lua: `-- core.log.append
${NOW}${LOG}${LOG_RETENTION}local log, meta, live, cursors = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ids = {}
for i = 5, #KEYS do ids[i - 4] = KEYS[i] end
local producer, number, keepMs, maxMessages, keepUnread, refuses, dedupeMs, liveBytes, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local frames = {}
for i = 10, #ARGV do frames[i - 9] = ARGV[i] end
local state = logState(log, meta, producer)
local numberBefore = state.record and tonumber(string.match(state.record, '^%d+'))
if numberBefore and numberBefore > number then return 'late' end
local isRepeat = numberBefore == number
local epochBefore, firstBefore, atBefore
if isRepeat then epochBefore, firstBefore, atBefore = string.match(state.record, ' (%d+) (%d+) (%d+)') end
local known, times, isKnown = {}, {}, {}
local knownBelow = isRepeat and tonumber(firstBefore) or state.head + 1
for at, id in ipairs(ids) do
  local epoch, offset, time = string.match(redis.call('GET', id) or '', '^(%d+):(%d+):(%d+)$')
  known[at], times[at] = 0, 0
  if epoch and tonumber(epoch) == state.epoch and tonumber(offset) < knownBelow then
    known[at], times[at] = tonumber(offset), tonumber(time)
    isKnown[tonumber(frames[at])] = true
  end
end
if isRepeat then return {'ok', epochBefore, firstBefore, atBefore, known, times} end
local blob, adding, newIds = frames[1], count, {}
if #ids > 0 then
  local kept, placeOf = {}, {}
  for place = 1, count do
    if not isKnown[place] then
      kept[#kept + 1] = frames[#ids + place]
      placeOf[place] = #kept
    end
  end
  blob, adding = table.concat(kept), #kept
  for at, id in ipairs(ids) do
    if known[at] == 0 then newIds[#newIds + 1] = {id, placeOf[tonumber(frames[at])]} end
  end
end
if adding == 0 then return {'ok', state.epoch, state.head + 1, state.at, known, times} end
local over = state.head + adding - state.first + 1 - maxMessages
local slack = refuses and 0 or math.max(64, maxMessages / 16)
local isDue = math.abs(now() - state.trimmed) >= math.min(60000, math.max(1000, keepMs / 100))
local from, keptFrom, tidyLog = state.first
if isDue or over > slack then
  keptFrom, tidyLog = logRetention()
  from = keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
  over = state.head + adding - from + 1 - maxMessages
  isDue = true
end
if refuses and over > 0 then return {'full', math.max(0, adding - over), state.epoch, known, times} end
local first, at = appendPack(log, meta, live, state, adding, blob, producer, number, liveBytes)
for _, new in ipairs(newIds) do
  redis.call('SET', new[1], string.format('%.0f:%.0f:%.0f', state.epoch, first + new[2] - 1, at), 'PX', dedupeMs)
end
if isDue then tidyLog(log, meta, state, from, keepMs, keepUnread) end
return {'ok', state.epoch, first, at, known, times}
`,
  encodeKeys(keys, out) {
    out.push(keys.log, keys.meta, keys.live, keys.cursors);
    for (const each of keys.ids) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(args.producer, encodeInt("number", args.number), encodeInt("keepMs", args.keepMs), encodeInt("maxMessages", args.maxMessages), encodeBool(args.keepUnread), encodeBool(args.refuses), encodeInt("dedupeMs", args.dedupeMs), encodeInt("liveBytes", args.liveBytes), encodeInt("count", args.count));
    for (const each of args.frames) out.push(each);
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

export interface LookKeys {
  readonly log: Arg;
  readonly meta: Arg;
}

export interface LookArgs {
  readonly from: number;
  readonly count: number;
  readonly bytes: number;
}

export type LookResult =
  | { readonly status: "ok"; readonly tail: (string | null)[]; readonly rows: { readonly id: string; readonly at: string; readonly count: string; readonly bytes: Buffer }[] };

/**
 * The end of a log, and its packs from `from` on: as many as fit in `bytes`, and 16 at least, where there are so many.
 * Sizes are known only once packs are read, so they are read 16 at a time.
 */
export const look: Script<LookKeys, LookArgs, LookResult> = {
  class: "read",
  name: "core.log.look",
  sha1: "a9f32c1c4f0a3befc8beb50eed6687ba08ca44d3",
  lua: `-- core.log.look
local log, meta = KEYS[1], KEYS[2]
local from, count, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local AT_ONCE = 16
local tail = redis.call('HMGET', meta, 'epoch', 'head', 'at', 'first')
local rows, size, seen, after = {}, 0, 0, string.format('%.0f', from)
while seen < count and size < bytes do
  local entries = redis.call('XRANGE', log, after, '+', 'COUNT', math.min(AT_ONCE, count - seen))
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    if #fields == 6 then
      local at = #rows
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = entry[1], fields[2], fields[4], fields[6]
      size = size + #fields[6]
    end
  end
  seen = seen + #entries
  if #entries < AT_ONCE then break end
  after = '(' .. entries[#entries][1]
end
return {'ok', tail, rows}
`,
  encodeKeys(keys, out) {
    out.push(keys.log, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("from", args.from), encodeInt("count", args.count), encodeInt("bytes", args.bytes));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", tail: decodeList(fields[1], (part) => decodeOptional(part, decodeText)), rows: decodeRows(fields[2], 4, (flat, at) => ({ id: decodeText(flat[at]), at: decodeText(flat[at + 1]), count: decodeText(flat[at + 2]), bytes: decodeBytes(flat[at + 3]) })) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};
