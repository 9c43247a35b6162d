// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
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

export interface WriteKeys {
  readonly entry: Arg;
}

export interface WriteArgs {
  /** names this write */
  readonly opId: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  /** the version that must be stored: 0 for no value, -1 for any state */
  readonly expected: number;
  readonly erase: boolean;
  readonly payload: Arg;
  /** of those who watch */
  readonly channel: string;
}

export type WriteResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "forgotten" };

/**
 * Replace the value or delete it, unless another version is stored. `forgotten`: a repeat, and whether it was executed before
 * is not known any more.
 */
export const write: Script<WriteKeys, WriteArgs, WriteResult> = {
  class: "dedupable",
  name: "value.write",
  sha1: "8870a2a1b9c4bd473d13a60017cd6482620d10a0",
  lua: `-- value.write
${NOW}local entry = KEYS[1]
local opId, againMs, expected, erase, payload, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5], ARGV[6]
local MAX_OPS = 16
local SKEW_MS = 1000
local DELETED_TTL_MS = 86400000
local state = redis.call('HMGET', entry, 'version', 'ops')
local version, ops = tonumber(state[1]) or 0, state[2] or ''
local _, at = string.find(ops, opId .. '=', 1, true)
if at then return {'ok', string.match(ops, '^%d+', at + 1)} end
local current = redis.call('HEXISTS', entry, 'value') == 1 and version or 0
local oldest = tonumber(string.match(ops, '=(%d+),$'))
local sentAt = (now() - againMs - SKEW_MS) * 1000
if expected >= 0 and expected ~= current then
  local remembers = oldest and (oldest < sentAt or (expected > 0 and expected >= oldest))
  if againMs > 0 and not remembers then return {'forgotten'} end
  return {'conflict', current}
end
local _, count = string.gsub(ops, ',', ',')
if againMs > 0 and count >= MAX_OPS and oldest >= sentAt then return {'forgotten'} end
if erase and current == 0 then return {'missing'} end
local number = string.format('%.0f', math.max(version + 1, nowMicros()))
if count >= MAX_OPS then ops = string.match(ops, '^(.*,)[^,]*,$') end
ops = opId .. '=' .. number .. ',' .. ops
if erase then
  redis.call('HDEL', entry, 'value')
  redis.call('HSET', entry, 'version', number, 'ops', ops)
  redis.call('PEXPIRE', entry, DELETED_TTL_MS)
else
  redis.call('HSET', entry, 'version', number, 'ops', ops, 'value', payload)
  redis.call('PERSIST', entry)
end
redis.call('PUBLISH', channel, number)
return {'ok', number}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("againMs", args.againMs), encodeInt("expected", args.expected), encodeBool(args.erase), args.payload, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", version: decodeInt(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "conflict":
        expectFields(fields, 1);
        return { status: "conflict", version: decodeInt(fields[1]) };
      case "forgotten":
        expectFields(fields, 0);
        return { status: "forgotten" };
      default:
        throw new UnexpectedReplyError("one of ok, missing, conflict, forgotten", reply);
    }
  },
};
