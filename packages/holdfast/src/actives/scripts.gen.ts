// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

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

export interface MarkKeys {
  /** hash: `epoch`, and the `next` place that nobody has */
  readonly meta: Arg;
  /** string: the epoch, then for each user 8 bytes of hash and 3 of place */
  readonly users: Arg;
  /** string: the epoch, then a bit for each place */
  readonly window: Arg;
}

export interface MarkArgs {
  readonly hash: Arg;
  readonly maxUsers: number;
  /** ms, of the window */
  readonly expiresAt: number;
}

export type MarkResult =
  | { readonly status: "ok" }
  | { readonly status: "limit" }
  | { readonly status: "late" };

/**
 * Marks a user as active in a window. `limit`: the user is new, and there is no place for one more; `late`: the window is no longer kept. In
 * both cases nothing was changed.
 * Everything begins with the epoch of `meta`: what was evicted takes the meaning of the places in the other keys with it.
 */
export const mark: BatchScript<MarkKeys, MarkArgs, MarkResult> = {
  class: "idempotent",
  name: "actives.mark",
  sha1: "7b8ca2a12eeff90ee8f6848338280306d53ec96c",
  lua: `-- actives.mark
${NOW}local meta, users, window = KEYS[1], KEYS[2], KEYS[3]
local hash, maxUsers, expiresAt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local EPOCH, WIDTH = 8, 11
if expiresAt <= now() then return {'late'} end
local known = redis.call('HMGET', meta, 'epoch', 'next')
local epoch = known[1] or string.sub(redis.sha1hex(string.format('%.0f', nowMicros())), 1, EPOCH)
local nextPlace = tonumber(known[2] or 0)
local listed = redis.call('GET', users)
if listed and string.sub(listed, 1, EPOCH) ~= epoch then listed = false end
local place
local found = listed and string.find(listed, hash, EPOCH + 1, true)
while found and (found - EPOCH - 1) % WIDTH ~= 0 do found = string.find(listed, hash, found + 1, true) end
if found then
  place = struct.unpack('<I3', listed, found + 8)
elseif nextPlace >= maxUsers then
  return {'limit'}
else
  place = nextPlace
  nextPlace = place + 1
  redis.call('HSET', meta, 'epoch', epoch, 'next', nextPlace)
  if not listed then redis.call('SET', users, epoch) end
  redis.call('APPEND', users, hash .. struct.pack('<I3', place))
end
if redis.call('GETRANGE', window, 0, EPOCH - 1) ~= epoch then
  redis.call('DEL', window)
  redis.call('SETBIT', window, 8 * EPOCH + nextPlace - 1, 0)
  redis.call('SETRANGE', window, 0, epoch)
  redis.call('PEXPIREAT', window, expiresAt)
end
if redis.call('SETBIT', window, 8 * EPOCH + place, 1) == 0 then
  local leftMs = expiresAt - now()
  for _, key in ipairs({meta, users}) do
    if redis.call('PTTL', key) < leftMs then redis.call('PEXPIREAT', key, expiresAt) end
  end
end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.meta, keys.users, keys.window);
  },
  encodeArgs(args, out) {
    out.push(args.hash, encodeInt("maxUsers", args.maxUsers), encodeInt("expiresAt", args.expiresAt));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of ok, limit, late", reply);
    }
  },
  most: 64,
  merged: {
    name: "actives.mark (merged)",
    sha1: "148b31096da0d0311be85f513286c140c4e9d6f6",
    lua: `-- actives.mark
${NOW}local function run(keyAt, argAt)
  local meta, users, window = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local hash, maxUsers, expiresAt = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local EPOCH, WIDTH = 8, 11
  if expiresAt <= now() then return {'late'} end
  local known = redis.call('HMGET', meta, 'epoch', 'next')
  local epoch = known[1] or string.sub(redis.sha1hex(string.format('%.0f', nowMicros())), 1, EPOCH)
  local nextPlace = tonumber(known[2] or 0)
  local listed = redis.call('GET', users)
  if listed and string.sub(listed, 1, EPOCH) ~= epoch then listed = false end
  local place
  local found = listed and string.find(listed, hash, EPOCH + 1, true)
  while found and (found - EPOCH - 1) % WIDTH ~= 0 do found = string.find(listed, hash, found + 1, true) end
  if found then
    place = struct.unpack('<I3', listed, found + 8)
  elseif nextPlace >= maxUsers then
    return {'limit'}
  else
    place = nextPlace
    nextPlace = place + 1
    redis.call('HSET', meta, 'epoch', epoch, 'next', nextPlace)
    if not listed then redis.call('SET', users, epoch) end
    redis.call('APPEND', users, hash .. struct.pack('<I3', place))
  end
  if redis.call('GETRANGE', window, 0, EPOCH - 1) ~= epoch then
    redis.call('DEL', window)
    redis.call('SETBIT', window, 8 * EPOCH + nextPlace - 1, 0)
    redis.call('SETRANGE', window, 0, epoch)
    redis.call('PEXPIREAT', window, expiresAt)
  end
  if redis.call('SETBIT', window, 8 * EPOCH + place, 1) == 0 then
    local leftMs = expiresAt - now()
    for _, key in ipairs({meta, users}) do
      if redis.call('PTTL', key) < leftMs then redis.call('PEXPIREAT', key, expiresAt) end
    end
  end
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
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
