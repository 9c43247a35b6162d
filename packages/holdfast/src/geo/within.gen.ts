// Generated from within.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeRows, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeFloat, encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface WithinKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface WithinArgs {
  /** the member in the centre, or '' for the coordinates */
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
 * A read although it removes what is over, which harms nothing when it is done once more.
 */
export const within: BatchScript<WithinKeys, WithinArgs, WithinResult> = {
  class: "read",
  name: "geo.within",
  sha1: "b0ed9eeb548532cad4cdca7f43dda10e7ace06f4",
  lua: `-- geo.within
local clockMicros
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
local MAX_ENDED_PER_CALL = 1000
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local function sweep(places, ends)
  if redis.call('ZCARD', places) > 0 and redis.call('EXISTS', ends) == 0 then redis.call('UNLINK', places) end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  if #over > 0 then
    redis.call('ZREM', places, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
  return #over < MAX_ENDED_PER_CALL
end
local function search(places, anchor, lon, lat, limit, shape)
  local center = anchor == '' and {'FROMLONLAT', lon, lat} or {'FROMMEMBER', anchor}
  local query = {places, unpack(center)}
  for _, word in ipairs(shape) do query[#query + 1] = word end
  local wanted = anchor == '' and limit or limit + 1
  for _, word in ipairs({'m', 'ASC', 'COUNT', wanted, 'WITHCOORD', 'WITHDIST'}) do query[#query + 1] = word end
  local rows, count = {}, 0
  for _, found in ipairs(redis.call('GEOSEARCH', unpack(query))) do
    if found[1] ~= anchor and count < limit then
      local at = count * 4
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = found[1], found[2], found[3][1], found[3][2]
      count = count + 1
    end
  end
  return rows, count
end
local places, ends = KEYS[1], KEYS[2]
local anchor, lon, lat, radius, width, height, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if not sweep(places, ends) then return {'again'} end
if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
local shape = radius > 0 and {'BYRADIUS', radius} or {'BYBOX', width, height}
return {'found', (search(places, anchor, lon, lat, limit, shape))}
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
    sha1: "f6d209df5e6f18e6fa4b86139e4fe47c73b7e5ff",
    lua: `-- geo.within
local clockMicros
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
local MAX_ENDED_PER_CALL = 1000
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local function sweep(places, ends)
  if redis.call('ZCARD', places) > 0 and redis.call('EXISTS', ends) == 0 then redis.call('UNLINK', places) end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  if #over > 0 then
    redis.call('ZREM', places, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
  return #over < MAX_ENDED_PER_CALL
end
local function search(places, anchor, lon, lat, limit, shape)
  local center = anchor == '' and {'FROMLONLAT', lon, lat} or {'FROMMEMBER', anchor}
  local query = {places, unpack(center)}
  for _, word in ipairs(shape) do query[#query + 1] = word end
  local wanted = anchor == '' and limit or limit + 1
  for _, word in ipairs({'m', 'ASC', 'COUNT', wanted, 'WITHCOORD', 'WITHDIST'}) do query[#query + 1] = word end
  local rows, count = {}, 0
  for _, found in ipairs(redis.call('GEOSEARCH', unpack(query))) do
    if found[1] ~= anchor and count < limit then
      local at = count * 4
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = found[1], found[2], found[3][1], found[3][2]
      count = count + 1
    end
  end
  return rows, count
end
local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local anchor, lon, lat, radius, width, height, limit = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), tonumber(ARGV[argAt + 7])
  if not sweep(places, ends) then return {'again'} end
  if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
  local shape = radius > 0 and {'BYRADIUS', radius} or {'BYBOX', width, height}
  return {'found', (search(places, anchor, lon, lat, limit, shape))}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 2 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 7
end
return outcomes
`,
  },
};
