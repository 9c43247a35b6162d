// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeFloat, decodeInt, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeFloat, encodeInt } from "../core/script/encode.ts";
import type { Script } from "../core/script/script.ts";

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

export interface SetKeys {
  readonly fences: Arg;
}

export interface SetArgs {
  readonly id: Arg;
  /** what it is; '' removes it */
  readonly text: Arg;
  readonly maxFences: number;
  readonly maxPerCell: number;
  /** none for a fence that is removed */
  readonly cells: readonly string[];
}

export type SetResult =
  | { readonly status: "ok"; readonly existed: boolean }
  | { readonly status: "limit"; readonly limit: string };

/** Sets a fence, or removes it with an empty text, and the cells that it is found by. */
export const set: Script<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "geofence.set",
  sha1: "f6985db068758edcf521ed92173fc809ba5fe580",
  lua: `-- geofence.set
local fences = KEYS[1]
local id, text, maxFences, maxPerCell = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local cells = {}
for i = 5, #ARGV do cells[i - 4] = ARGV[i] end
local old = redis.call('HGET', fences, 'f' .. id)
local before, after = {}, {}
for cell in string.gmatch(old and string.match(old, '^[^\\n]*') or '', '%S+') do before[cell] = true end
for _, cell in ipairs(cells) do after[cell] = true end
local count = tonumber(redis.call('HGET', fences, 'n')) or 0
if text ~= '' and not old and count >= maxFences then return {'limit', 'fences'} end
local function idsOf(cell)
  local ids = {}
  for each in string.gmatch(redis.call('HGET', fences, 'c' .. cell) or '', '[^%z]+') do ids[#ids + 1] = each end
  return ids
end
local added = {}
for cell in pairs(after) do
  if not before[cell] then
    local ids = idsOf(cell)
    if #ids >= maxPerCell then return {'limit', 'cell'} end
    ids[#ids + 1] = id
    added[cell] = table.concat(ids, '\\0')
  end
end
for cell, ids in pairs(added) do redis.call('HSET', fences, 'c' .. cell, ids) end
for cell in pairs(before) do
  if not after[cell] then
    local left = {}
    for _, each in ipairs(idsOf(cell)) do
      if each ~= id then left[#left + 1] = each end
    end
    if #left > 0 then
      redis.call('HSET', fences, 'c' .. cell, table.concat(left, '\\0'))
    else
      redis.call('HDEL', fences, 'c' .. cell)
    end
  end
end
if text ~= '' then
  redis.call('HSET', fences, 'f' .. id, table.concat(cells, ' ') .. '\\n' .. text)
  if not old then redis.call('HSET', fences, 'n', count + 1) end
elseif old then
  redis.call('HDEL', fences, 'f' .. id)
  if count > 1 then redis.call('HSET', fences, 'n', count - 1) else redis.call('UNLINK', fences) end
end
return {'ok', old and true or false}
`,
  encodeKeys(keys, out) {
    out.push(keys.fences);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.text, encodeInt("maxFences", args.maxFences), encodeInt("maxPerCell", args.maxPerCell));
    for (const each of args.cells) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", existed: decodeBool(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", limit: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
};

export interface TrackKeys {
  readonly state: Arg;
}

export interface TrackArgs {
  /** the same when it is sent again */
  readonly call: string;
  /** whether it is */
  readonly again: boolean;
  /** when the entity was there; -1: not known, after all before */
  readonly at: number;
  readonly settleMs: number;
  /** 0: never */
  readonly dwellMs: number;
  readonly ttlMs: number;
  /** fences of one entity */
  readonly most: number;
  /** ids separated by NUL */
  readonly inside: Arg;
  readonly near: Arg;
}

export type TrackResult =
  | { readonly status: "ok"; readonly transitions: { readonly kind: string; readonly fence: string; readonly number: number; readonly at: number; readonly since: number }[] }
  | { readonly status: "stale"; readonly at: number }
  | { readonly status: "limit" }
  | { readonly status: "unknown" };

/**
 * Moves an entity: which fences it has entered, dwelt in and left since it was tracked before.
 * A fence of the state is '<since> <entered> <leaving> <dwelt>', in milliseconds of the server's clock, 0 for what did not happen. A call that
 * was executed before is answered as it was then; unknown: it was sent before, and so many came since that nobody knows whether it was executed.
 */
export const track: Script<TrackKeys, TrackArgs, TrackResult> = {
  class: "dedupable",
  name: "geofence.track",
  sha1: "4bb89f4f9aaffc7e86b339f721c7c2153820f018",
  lua: `-- geofence.track
${NOW}local state = KEYS[1]
local call, again, at, settleMs, dwellMs, ttlMs, most, inside, near = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local REMEMBERED = 8
local AT, CALLS, NUMBER = '\\0at', '\\0calls', '\\0number'
local flat = redis.call('HGETALL', state)
local known, calls, number, last = {}, {}, 0, false
for i = 1, #flat, 2 do
  if flat[i] == AT then last = tonumber(flat[i + 1])
  elseif flat[i] == NUMBER then number = tonumber(flat[i + 1])
  elseif flat[i] == CALLS then calls = cjson.decode(flat[i + 1])
  else known[flat[i]] = flat[i + 1] end
end
for _, each in ipairs(calls) do
  if each[1] == call then
    table.remove(each, 1)
    return {'ok', each}
  end
end
if again and #calls == REMEMBERED then return {'unknown'} end
if at >= 0 and last and at < last then return {'stale', string.format('%.17g', last)} end
local function setOf(packed)
  local set, ids = {}, {}
  for id in string.gmatch(packed, '[^%z]+') do
    set[id] = true
    ids[#ids + 1] = id
  end
  return set, ids
end
local isInside, ids = setOf(inside)
local isNear = setOf(near)
if #ids > most then return {'limit'} end
local told, writes, gone = {}, {}, {}
local function tell(kind, id, since)
  number = number + 1
  for _, each in ipairs({kind, id, string.format('%.0f', number), string.format('%.0f', now()), string.format('%.0f', since)}) do
    told[#told + 1] = each
  end
end
local function keep(id, since, entered, leaving, dwelt)
  writes[#writes + 1] = id
  writes[#writes + 1] = string.format('%.0f %.0f %.0f %.0f', since, entered, leaving, dwelt)
end
for id, text in pairs(known) do
  if not isInside[id] then ids[#ids + 1] = id end
end
if #ids > most * 2 then return {'limit'} end
table.sort(ids)
for _, id in ipairs(ids) do
  local since, entered, leaving, dwelt = string.match(known[id] or '', '^(%d+) (%d+) (%d+) (%d+)$')
  since, entered, leaving, dwelt = tonumber(since or now()), tonumber(entered or 0), tonumber(leaving or 0), tonumber(dwelt or 0)
  if isInside[id] or entered > 0 and isNear[id] then
    leaving = 0
    if entered == 0 and now() - since >= settleMs then
      entered = now()
      tell('enter', id, since)
    end
    if entered > 0 and dwelt == 0 and dwellMs > 0 and now() - since >= dwellMs then
      dwelt = now()
      tell('dwell', id, since)
    end
    keep(id, since, entered, leaving, dwelt)
  elseif entered == 0 then
    gone[#gone + 1] = id
  else
    if leaving == 0 then leaving = now() end
    if now() - leaving >= settleMs then
      tell('exit', id, since)
      gone[#gone + 1] = id
    else
      keep(id, since, entered, leaving, dwelt)
    end
  end
end
local entry = {call}
for _, each in ipairs(told) do entry[#entry + 1] = each end
table.insert(calls, 1, entry)
calls[REMEMBERED + 1] = nil
if #gone > 0 then redis.call('HDEL', state, unpack(gone)) end
if at >= 0 then redis.call('HSET', state, AT, string.format('%.17g', at)) end
redis.call('HSET', state, CALLS, cjson.encode(calls), NUMBER, string.format('%.0f', number), unpack(writes))
redis.call('PEXPIRE', state, ttlMs)
return {'ok', told}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(args.call, encodeBool(args.again), encodeFloat("at", args.at), encodeInt("settleMs", args.settleMs), encodeInt("dwellMs", args.dwellMs), encodeInt("ttlMs", args.ttlMs), encodeInt("most", args.most), args.inside, args.near);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", transitions: decodeRows(fields[1], 5, (flat, at) => ({ kind: decodeText(flat[at]), fence: decodeText(flat[at + 1]), number: decodeInt(flat[at + 2]), at: decodeInt(flat[at + 3]), since: decodeInt(flat[at + 4]) })) };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", at: decodeFloat(fields[1]) };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      case "unknown":
        expectFields(fields, 0);
        return { status: "unknown" };
      default:
        throw new UnexpectedReplyError("one of ok, stale, limit, unknown", reply);
    }
  },
};
