// Generated from retire.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface RetireKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface RetireArgs {
  readonly handle: string;
  readonly target: string;
  readonly version: number;
  readonly traceMs: number;
  readonly idleMs: number;
}

export type RetireResult =
  | { readonly status: "retired" }
  | { readonly status: "conflict" }
  | { readonly status: "missing" };

/**
 * End a session whose successor was created in another slot. What is left opens nothing: it only lets a sign-out that
 * still carries the old id find the successor.
 */
export const retire: Script<RetireKeys, RetireArgs, RetireResult> = {
  class: "idempotent",
  name: "sessions.retire",
  sha1: "7048c325ca88a97a97309dcf2ab830d700faea11",
  lua: `-- sessions.retire
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
local handle, target, version, traceMs, idleMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', session, 'heir') == target then return {'retired'} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
if state.user then redis.call('ZREM', index, handle) end
redis.call('DEL', session)
redis.call('HSET', session, 'heir', target)
redis.call('PEXPIRE', session, traceMs)
return {'retired'}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, args.target, encodeInt("version", args.version), encodeInt("traceMs", args.traceMs), encodeInt("idleMs", args.idleMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "retired":
        expectFields(fields, 0);
        return { status: "retired" };
      case "conflict":
        expectFields(fields, 0);
        return { status: "conflict" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of retired, conflict, missing", reply);
    }
  },
};
