// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeInt, decodeList, decodeOptional, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
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

const LIVE = `local MAX_ENDED_PER_CALL = 500
local MARK = ''
local BEFORE_THE_MAP = -1
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local function isWhole(places, ends, fields)
  if (redis.call('ZCARD', places) > 0) ~= (redis.call('ZCARD', ends) > 0) then return false end
  return (redis.call('ZSCORE', places, MARK) and 1 or 0) == redis.call('EXISTS', fields)
end
local function drop(places, ends, fields, members)
  local gone = redis.pcall('ZREM', places, unpack(members))
  if type(gone) ~= 'number' then return false end
  redis.call('ZREM', ends, unpack(members))
  redis.call('HDEL', fields, unpack(members))
  if redis.call('ZCARD', ends) == 0 then redis.call('UNLINK', places, fields) end
  return true
end
local swept
local isStale, isBroken = false, false
local function sweep(places, ends, fields)
  if swept ~= nil then return swept end
  if not isWhole(places, ends, fields) then
    if type(redis.pcall('UNLINK', places, ends, fields)) ~= 'number' then isBroken = true end
  end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  swept = #over < MAX_ENDED_PER_CALL
  if #over > 0 and not drop(places, ends, fields, over) then isStale, swept = true, true end
  return swept
end
`;

export interface AddKeys {
  readonly places: Arg;
  readonly ends: Arg;
  readonly fields: Arg;
}

export interface AddArgs {
  readonly ttlMs: number;
  /** longitude, latitude, member and fields, alternating; fields: '' keeps what is there, '{}' removes it */
  readonly entries: readonly Arg[];
}

export type AddResult = number;

/** Adds members or moves them, and starts their time to live again. */
export const add: Script<AddKeys, AddArgs, AddResult> = {
  class: "idempotent",
  name: "geo.add",
  sha1: "bff4c024b1a6f1027f59df06825e918dcf29d716",
  lua: `-- geo.add
${NOW}${LIVE}local places, ends, fields = KEYS[1], KEYS[2], KEYS[3]
local ttlMs = tonumber(ARGV[1])
local entries = {}
for i = 2, #ARGV do entries[i - 1] = ARGV[i] end
local function keep(key)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local allSwept = sweep(places, ends, fields)
local over, points, scored, latest = now() + ttlMs, {}, {}, {}
for i = 1, #entries, 4 do
  local member, about = entries[i + 2], entries[i + 3]
  points[#points + 1], points[#points + 2], points[#points + 3] = entries[i], entries[i + 1], member
  scored[#scored + 1], scored[#scored + 2] = over, member
  if about ~= '' then
    latest[member] = about
  elseif not latest[member] and not allSwept and not isLive(places, ends, member) then
    latest[member] = '{}'
  end
end
local stored, cleared = {}, {}
for member, about in pairs(latest) do
  if about == '{}' then
    cleared[#cleared + 1] = member
  else
    stored[#stored + 1], stored[#stored + 2] = member, about
  end
end
local added = redis.call('GEOADD', places, unpack(points))
redis.call('ZADD', ends, unpack(scored))
if #cleared > 0 then redis.call('HDEL', fields, unpack(cleared)) end
if #stored > 0 then
  redis.call('HSET', fields, MARK, '', unpack(stored))
  redis.call('ZADD', places, BEFORE_THE_MAP, MARK)
end
keep(places)
keep(ends)
redis.call('PEXPIRE', fields, redis.call('PTTL', places))
return added
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends, keys.fields);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface LookKeys {
  readonly places: Arg;
  readonly ends: Arg;
  readonly fields: Arg;
}

export interface LookArgs {
  readonly withFields: boolean;
  /** of each: its first score, '(' and the score after it, how many to skip, which all have that score, how many at most; */
  readonly cells: readonly string[];
}

export type LookResult =
  | { readonly status: "found"; readonly total: number; readonly read: string[] }
  | { readonly status: "again" };

/**
 * Reads cells of the map: the members of each, or how many there are where that is more than was asked for.
 * Of each cell `read` has: how many members follow, how many were looked at, and member, score (and fields) of each; or -1 and how many there are.
 * A read although it removes what is over: doing so twice harms nothing.
 */
export const look: Script<LookKeys, LookArgs, LookResult> = {
  class: "read",
  name: "geo.look",
  sha1: "1aea66c7f59c5f21096a748adb8d0c01fdd95e3c",
  lua: `-- geo.look
${NOW}${LIVE}local places, ends, fields = KEYS[1], KEYS[2], KEYS[3]
local withFields = ARGV[1] == '1'
local cells = {}
for i = 2, #ARGV do cells[i - 1] = ARGV[i] end
local MAX_MEMBERS = 1000
if not sweep(places, ends, fields) then return {'again'} end
if isBroken then return {'found', 0, {}} end
local left, flat, size = MAX_MEMBERS, {}, 0
for at = 1, #cells, 4 do
  local first, last, most = cells[at], cells[at + 1], tonumber(cells[at + 3])
  local isPart = most < 0
  local wanted = isPart and -most or math.min(most, left)
  local rows = {}
  if wanted > 0 then
    local page = isPart and wanted or wanted + 1
    if cells[at + 2] == 'back' then
      rows = redis.call('ZRANGE', places, last, first, 'BYSCORE', 'REV', 'LIMIT', 0, page, 'WITHSCORES')
    elseif cells[at + 2] == '0' then
      rows = redis.call('ZRANGE', places, first, last, 'BYSCORE', 'LIMIT', 0, page, 'WITHSCORES')
    else
      local from = redis.call('ZCOUNT', places, '-inf', '(' .. first) + cells[at + 2]
      rows = redis.call('ZRANGE', places, from, from + page - 1, 'WITHSCORES')
      while #rows > 0 and tonumber(rows[#rows]) ~= tonumber(first) do
        table.remove(rows)
        table.remove(rows)
      end
    end
  end
  local seen = #rows / 2
  if wanted == 0 or seen > wanted and not isPart then
    flat[size + 1], flat[size + 2] = '-1', tostring(redis.call('ZCOUNT', places, first, last))
    size = size + 2
  else
    left = left - seen
    local head, count, members, over, about = size, 0, {}
    if seen > 0 and (withFields or isStale) then
      for i = 1, seen do members[i] = rows[i * 2 - 1] end
      if withFields then about = redis.call('HMGET', fields, unpack(members)) end
      if isStale then over = redis.call('ZMSCORE', ends, unpack(members)) end
    end
    size = head + 2
    for i = 1, seen do
      if not over or over[i] and tonumber(over[i]) > now() then
        flat[size + 1], flat[size + 2] = rows[i * 2 - 1], rows[i * 2]
        size, count = size + 2, count + 1
        if about then
          size = size + 1
          flat[size] = about[i] or ''
        end
      end
    end
    flat[head + 1], flat[head + 2] = tostring(count), tostring(seen)
  end
end
return {'found', redis.call('ZCARD', places), flat}
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends, keys.fields);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.withFields));
    for (const each of args.cells) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "found":
        expectFields(fields, 2);
        return { status: "found", total: decodeInt(fields[1]), read: decodeList(fields[2], decodeText) };
      case "again":
        expectFields(fields, 0);
        return { status: "again" };
      default:
        throw new UnexpectedReplyError("one of found, again", reply);
    }
  },
};

export interface PositionsKeys {
  readonly places: Arg;
  readonly ends: Arg;
  readonly fields: Arg;
}

export interface PositionsArgs {
  readonly members: readonly string[];
}

export type PositionsResult = (string | null)[];

/** Score and fields of each member, alternating; nil for both if it is not there, '' for the fields where it has none. */
export const positions: Script<PositionsKeys, PositionsArgs, PositionsResult> = {
  class: "read",
  name: "geo.positions",
  sha1: "621df76f43a7a26e19d2aa0ddb8a268668bf96bb",
  lua: `-- geo.positions
${NOW}${LIVE}local places, ends, fields = KEYS[1], KEYS[2], KEYS[3]
local members = ARGV
local whole = isWhole(places, ends, fields)
local scores = redis.call('ZMSCORE', places, unpack(members))
local over = redis.call('ZMSCORE', ends, unpack(members))
local about = redis.call('HMGET', fields, unpack(members))
local flat = {}
for i = 1, #members do
  local live = whole and scores[i] and over[i] and tonumber(over[i]) > now()
  flat[i * 2 - 1], flat[i * 2] = live and scores[i] or false, live and (about[i] or '') or false
end
return flat
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends, keys.fields);
  },
  encodeArgs(args, out) {
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeText));
  },
};

export interface RemoveKeys {
  readonly places: Arg;
  readonly ends: Arg;
  readonly fields: Arg;
}

export interface RemoveArgs {
  readonly member: string;
}

export type RemoveResult = boolean;

/** Removes a member; true if it was there. */
export const remove: BatchScript<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "geo.remove",
  sha1: "499f025b8acce809dca71b72a3f6dfe4545f5818",
  lua: `-- geo.remove
${NOW}${LIVE}local places, ends, fields = KEYS[1], KEYS[2], KEYS[3]
local member = ARGV[1]
local live = isLive(places, ends, member)
redis.call('ZREM', places, member)
drop(places, ends, fields, {member})
return live
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends, keys.fields);
  },
  encodeArgs(args, out) {
    out.push(args.member);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 96,
  merged: {
    name: "geo.remove (merged)",
    sha1: "267f64c3723f4ccbde4e82b2fa6f7d65605a4b16",
    lua: `-- geo.remove
${NOW}${LIVE}local function run(keyAt, argAt)
  local places, ends, fields = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local member = ARGV[argAt + 1]
  local live = isLive(places, ends, member)
  redis.call('ZREM', places, member)
  drop(places, ends, fields, {member})
  return live
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
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

export interface SizeKeys {
  readonly places: Arg;
  readonly ends: Arg;
  readonly fields: Arg;
}

export type SizeArgs = None;

export type SizeResult = number;

/** How many members there are. */
export const size: Script<SizeKeys, SizeArgs, SizeResult> = {
  class: "read",
  name: "geo.size",
  sha1: "b79750bae5d687b47547e5d5f4305378fb493a98",
  lua: `-- geo.size
${NOW}${LIVE}local places, ends, fields = KEYS[1], KEYS[2], KEYS[3]
if not isWhole(places, ends, fields) then return 0 end
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends, keys.fields);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
};
