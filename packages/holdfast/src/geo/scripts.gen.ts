// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeFloat, decodeInt, decodeList, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeFloat, encodeInt } from "../core/script/encode.ts";
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
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local swept
local stale = 0
local function removeOver(places, ends, over)
  local gone = redis.pcall('ZREM', places, unpack(over))
  if type(gone) == 'number' then redis.call('ZREM', ends, unpack(over)) end
  return type(gone) == 'number'
end
local function sweep(places, ends)
  if swept ~= nil then return swept end
  if (redis.call('ZCARD', places) > 0) ~= (redis.call('ZCARD', ends) > 0) then
    if type(redis.pcall('UNLINK', places, ends)) ~= 'number' then stale = 1 end
  end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  swept = #over < MAX_ENDED_PER_CALL
  if #over > 0 and not removeOver(places, ends, over) then
    stale, swept = redis.call('ZCOUNT', ends, '-inf', now()), true
  end
  return swept
end
`;

const SEARCH = `local function search(places, ends, anchor, lon, lat, limit, shape)
  local center = anchor == '' and {'FROMLONLAT', lon, lat} or {'FROMMEMBER', anchor}
  local query = {places, unpack(center)}
  for _, word in ipairs(shape) do query[#query + 1] = word end
  local wanted = stale + (anchor == '' and limit or limit + 1)
  for _, word in ipairs({'m', 'ASC', 'COUNT', wanted, 'WITHCOORD', 'WITHDIST'}) do query[#query + 1] = word end
  local rows, count = {}, 0
  for _, found in ipairs(redis.call('GEOSEARCH', unpack(query))) do
    if found[1] ~= anchor and count < limit and (stale == 0 or isLive(places, ends, found[1])) then
      local at = count * 4
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = found[1], found[2], found[3][1], found[3][2]
      count = count + 1
    end
  end
  return rows, count
end
`;

export interface AddKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface AddArgs {
  readonly ttlMs: number;
  /** longitude, latitude and member, alternating */
  readonly entries: readonly Arg[];
}

export type AddResult = number;

/** Adds members or moves them, and starts their time to live again. */
export const add: Script<AddKeys, AddArgs, AddResult> = {
  class: "idempotent",
  name: "geo.add",
  sha1: "02d82cceba965f230f23cb649310029f45ee2e7b",
  lua: `-- geo.add
${NOW}${LIVE}local places, ends = KEYS[1], KEYS[2]
local ttlMs = tonumber(ARGV[1])
local entries = {}
for i = 2, #ARGV do entries[i - 1] = ARGV[i] end
local function keep(key)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
sweep(places, ends)
local over, scored = now() + ttlMs, {}
for i = 3, #entries, 3 do
  scored[#scored + 1] = over
  scored[#scored + 1] = entries[i]
end
local added = redis.call('GEOADD', places, unpack(entries))
redis.call('ZADD', ends, unpack(scored))
keep(places)
keep(ends)
return added
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface DistanceKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface DistanceArgs {
  readonly from: string;
  readonly to: string;
}

export type DistanceResult = number | null;

/** Metres between two members; nil when one of them is not there. */
export const distance: BatchScript<DistanceKeys, DistanceArgs, DistanceResult> = {
  class: "read",
  name: "geo.distance",
  sha1: "0bfdf3d4e6c795f291ebd9f8c9d07a90434849e7",
  lua: `-- geo.distance
${NOW}${LIVE}local places, ends = KEYS[1], KEYS[2]
local from, to = ARGV[1], ARGV[2]
if not (isLive(places, ends, from) and isLive(places, ends, to)) then return false end
return redis.call('GEODIST', places, from, to, 'm')
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.from, args.to);
  },
  decode(reply) {
    return decodeOptional(reply, decodeFloat);
  },
  merged: {
    name: "geo.distance (merged)",
    sha1: "72ba680cf6d3b0366ba10393220320c290721742",
    lua: `-- geo.distance
${NOW}${LIVE}local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local from, to = ARGV[argAt + 1], ARGV[argAt + 2]
  if not (isLive(places, ends, from) and isLive(places, ends, to)) then return false end
  return redis.call('GEODIST', places, from, to, 'm')
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 2 do
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

export interface NearestKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface NearestArgs {
  /** the member at the centre, or '' for the coordinates */
  readonly anchor: string;
  readonly lon: number;
  readonly lat: number;
  /** of the largest circle, in metres */
  readonly radius: number;
  readonly limit: number;
}

export type NearestResult =
  | { readonly status: "found"; readonly matches: { readonly member: string; readonly meters: number; readonly lon: number; readonly lat: number }[] }
  | { readonly status: "missing" }
  | { readonly status: "again" };

/**
 * The nearest members, the nearest first.
 * GEOSEARCH with COUNT looks at everything within its radius, so it is asked for growing circles until one has enough.
 * A read although it removes what is over: doing so twice harms nothing.
 */
export const nearest: BatchScript<NearestKeys, NearestArgs, NearestResult> = {
  class: "read",
  name: "geo.nearest",
  sha1: "4e0620344b7e2f9b2a0b7aad84932ef45b6a0021",
  lua: `-- geo.nearest
${NOW}${LIVE}${SEARCH}local places, ends = KEYS[1], KEYS[2]
local anchor, lon, lat, radius, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local FIRST_RADIUS = 500
local GROWTH = 4
if not sweep(places, ends) then return {'again'} end
if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
local circle = FIRST_RADIUS
if redis.call('ZCARD', places) <= limit then circle = radius end
local matches, count
repeat
  circle = math.min(circle, radius)
  matches, count = search(places, ends, anchor, lon, lat, limit, {'BYRADIUS', circle})
  local last = circle >= radius
  circle = circle * GROWTH
until count >= limit or last
return {'found', matches}
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.anchor, encodeFloat("lon", args.lon), encodeFloat("lat", args.lat), encodeFloat("radius", args.radius), encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "found":
        expectFields(fields, 1);
        return { status: "found", matches: decodeRows(fields[1], 4, (flat, at) => ({ member: decodeText(flat[at]), meters: decodeFloat(flat[at + 1]), lon: decodeFloat(flat[at + 2]), lat: decodeFloat(flat[at + 3]) })) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "again":
        expectFields(fields, 0);
        return { status: "again" };
      default:
        throw new UnexpectedReplyError("one of found, missing, again", reply);
    }
  },
  merged: {
    name: "geo.nearest (merged)",
    sha1: "d37269bc2a55282e916151b3c473142312478236",
    lua: `-- geo.nearest
${NOW}${LIVE}${SEARCH}local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local anchor, lon, lat, radius, limit = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5])
  local FIRST_RADIUS = 500
  local GROWTH = 4
  if not sweep(places, ends) then return {'again'} end
  if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
  local circle = FIRST_RADIUS
  if redis.call('ZCARD', places) <= limit then circle = radius end
  local matches, count
  repeat
    circle = math.min(circle, radius)
    matches, count = search(places, ends, anchor, lon, lat, limit, {'BYRADIUS', circle})
    local last = circle >= radius
    circle = circle * GROWTH
  until count >= limit or last
  return {'found', matches}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
for keyAt = 0, #KEYS - 1, 2 do
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

export interface PositionsKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface PositionsArgs {
  readonly members: readonly string[];
}

export type PositionsResult = (number | null)[];

/** Longitude and latitude of each member, alternating; nil for both if it is not there. */
export const positions: Script<PositionsKeys, PositionsArgs, PositionsResult> = {
  class: "read",
  name: "geo.positions",
  sha1: "2e119a5f50e3002bb8291c9777771d9038b36a28",
  lua: `-- geo.positions
${NOW}local places, ends = KEYS[1], KEYS[2]
local members = ARGV
local positions = redis.call('GEOPOS', places, unpack(members))
local over = redis.call('ZMSCORE', ends, unpack(members))
local flat = {}
for i = 1, #members do
  local live = positions[i] and over[i] and tonumber(over[i]) > now()
  flat[i * 2 - 1], flat[i * 2] = live and positions[i][1] or false, live and positions[i][2] or false
end
return flat
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeFloat));
  },
};

export interface RemoveKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface RemoveArgs {
  readonly member: string;
}

export type RemoveResult = boolean;

/** Removes a member; true if it was there. */
export const remove: BatchScript<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "geo.remove",
  sha1: "66b07b33cb62362355e5f5559f0308f8a9c3c42a",
  lua: `-- geo.remove
${NOW}${LIVE}local places, ends = KEYS[1], KEYS[2]
local member = ARGV[1]
local live = isLive(places, ends, member)
redis.call('ZREM', places, member)
redis.call('ZREM', ends, member)
return live
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.member);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "geo.remove (merged)",
    sha1: "4b9b7906be71cdd490a4b01056789b5c0b8b54c1",
    lua: `-- geo.remove
${NOW}${LIVE}local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local member = ARGV[argAt + 1]
  local live = isLive(places, ends, member)
  redis.call('ZREM', places, member)
  redis.call('ZREM', ends, member)
  return live
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
for keyAt = 0, #KEYS - 1, 2 do
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
}

export type SizeArgs = None;

export type SizeResult = number;

/** How many members there are. */
export const size: Script<SizeKeys, SizeArgs, SizeResult> = {
  class: "read",
  name: "geo.size",
  sha1: "171e0a062fbef3b317e0f17bf175a8e6bd917ad0",
  lua: `-- geo.size
${NOW}local places, ends = KEYS[1], KEYS[2]
if redis.call('ZCARD', places) == 0 then return 0 end
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface WithinKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface WithinArgs {
  /** the member at the centre, or '' for the coordinates */
  readonly anchor: string;
  readonly lon: number;
  readonly lat: number;
  /** in metres, 0 for a box */
  readonly radius: number;
  /** in metres */
  readonly width: number;
  /** in metres */
  readonly height: number;
  readonly limit: number;
}

export type WithinResult =
  | { readonly status: "found"; readonly matches: { readonly member: string; readonly meters: number; readonly lon: number; readonly lat: number }[] }
  | { readonly status: "missing" }
  | { readonly status: "again" };

/**
 * The members within a circle or a box, the nearest first.
 * A read although it removes what is over: doing so twice harms nothing.
 */
export const within: BatchScript<WithinKeys, WithinArgs, WithinResult> = {
  class: "read",
  name: "geo.within",
  sha1: "8c47a105167e83abedc63891ed96e090bd8010e6",
  lua: `-- geo.within
${NOW}${LIVE}${SEARCH}local places, ends = KEYS[1], KEYS[2]
local anchor, lon, lat, radius, width, height, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if not sweep(places, ends) then return {'again'} end
if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
local shape = radius > 0 and {'BYRADIUS', radius} or {'BYBOX', width, height}
return {'found', (search(places, ends, anchor, lon, lat, limit, shape))}
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.anchor, encodeFloat("lon", args.lon), encodeFloat("lat", args.lat), encodeFloat("radius", args.radius), encodeFloat("width", args.width), encodeFloat("height", args.height), encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "found":
        expectFields(fields, 1);
        return { status: "found", matches: decodeRows(fields[1], 4, (flat, at) => ({ member: decodeText(flat[at]), meters: decodeFloat(flat[at + 1]), lon: decodeFloat(flat[at + 2]), lat: decodeFloat(flat[at + 3]) })) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "again":
        expectFields(fields, 0);
        return { status: "again" };
      default:
        throw new UnexpectedReplyError("one of found, missing, again", reply);
    }
  },
  merged: {
    name: "geo.within (merged)",
    sha1: "98912f41b84d762242215d9a4faa51eb2917c0bc",
    lua: `-- geo.within
${NOW}${LIVE}${SEARCH}local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local anchor, lon, lat, radius, width, height, limit = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), tonumber(ARGV[argAt + 7])
  if not sweep(places, ends) then return {'again'} end
  if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
  local shape = radius > 0 and {'BYRADIUS', radius} or {'BYBOX', width, height}
  return {'found', (search(places, ends, anchor, lon, lat, limit, shape))}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 7 and 7 or 0
for keyAt = 0, #KEYS - 1, 2 do
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
