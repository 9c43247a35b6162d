// Generated from create.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeList, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface CreateKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface CreateArgs {
  readonly handle: string;
  readonly hasUser: boolean;
  readonly limit: number;
  readonly evict: boolean;
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly fields: readonly Arg[];
}

export type CreateResult =
  | { readonly status: "created"; readonly fields: Buffer[]; readonly evicted: string[] }
  | { readonly status: "limit"; readonly active: number }
  | { readonly status: "ended" };

/**
 * Create a session within the user's limit. The id is new and random, so a session that is there already was created
 * by this very call, whose answer was lost; and one that has ended already, too, before its id was told to anybody.
 */
export const create: Script<CreateKeys, CreateArgs, CreateResult> = {
  class: "dedupable",
  name: "sessions.create",
  sha1: "0d54561a4cb948b5ea1d379b3e96e45cbb5a0dcf",
  lua: `-- sessions.create
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
local LATE_MS = 60000
local function find(session, index, handle, idleMs)
  local found = redis.call('HMGET', session, 'seen', 'ends', 'version', 'user', 'alias', 'until')
  if found[6] and now() >= tonumber(found[6]) then return nil end
  if not found[1] then return nil, found[5] end
  local state = { seen = tonumber(found[1]), ends = tonumber(found[2]), version = tonumber(found[3]), user = found[4] }
  if now() >= state.ends or now() - state.seen >= idleMs then return nil end
  if state.user and not redis.call('ZSCORE', index, handle) then return nil end
  return state
end
local function enlist(index, handle, expiresAt)
  redis.call('ZADD', index, expiresAt, handle)
  if redis.call('PEXPIRETIME', index) < expiresAt then redis.call('PEXPIREAT', index, expiresAt) end
end
local function keepUntil(session, index, handle, user, expiresAt)
  redis.call('PEXPIREAT', session, expiresAt)
  if user then enlist(index, handle, expiresAt) end
end
local function bury(session)
  local created = tonumber(redis.call('HGET', session, 'created'))
  if not created then return end
  redis.call('DEL', session)
  if now() - created >= LATE_MS then return end
  redis.call('HSET', session, 'gone', 1)
  redis.call('PEXPIRE', session, LATE_MS)
end
local function touch(session, index, handle, idleMs, touchMs, state)
  if now() - state.seen < touchMs then return end
  redis.call('HSET', session, 'seen', now())
  keepUntil(session, index, handle, state.user, math.min(now() + idleMs, state.ends))
end
local session, index = KEYS[1], KEYS[2]
local handle, hasUser, limit, evict, idleMs, absoluteMs = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])
local fields = {}
for i = 7, #ARGV do fields[i - 6] = ARGV[i] end
if redis.call('HEXISTS', session, 'created') == 1 then return {'created', redis.call('HGETALL', session), {}} end
if redis.call('EXISTS', session) == 1 then return {'ended'} end
local at = now()
local evicted = {}
if hasUser then
  redis.call('ZREMRANGEBYSCORE', index, '-inf', at)
  local active = redis.call('ZCARD', index)
  if active >= limit and not evict then return {'limit', active} end
  if active >= limit then
    local ended = redis.call('ZPOPMIN', index, active - limit + 1)
    for i = 1, #ended, 2 do evicted[#evicted + 1] = ended[i] end
  end
end
redis.call('HSET', session, 'created', at, 'seen', at, 'ends', at + absoluteMs, 'version', 1, unpack(fields))
keepUntil(session, index, handle, hasUser, at + math.min(idleMs, absoluteMs))
return {'created', redis.call('HGETALL', session), evicted}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeBool(args.hasUser), encodeInt("limit", args.limit), encodeBool(args.evict), encodeInt("idleMs", args.idleMs), encodeInt("absoluteMs", args.absoluteMs));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "created":
        expectFields(fields, 2);
        return { status: "created", fields: decodeList(fields[1], decodeBytes), evicted: decodeList(fields[2], decodeText) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", active: decodeInt(fields[1]) };
      case "ended":
        expectFields(fields, 0);
        return { status: "ended" };
      default:
        throw new UnexpectedReplyError("one of created, limit, ended", reply);
    }
  },
};
