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
  readonly flags: Arg;
  readonly history: Arg;
}

export interface WriteArgs {
  /** names this write */
  readonly opId: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  /** the version of the flag that must be there: 0 for none, -1 for any state */
  readonly expected: number;
  readonly erase: boolean;
  readonly flag: string;
  readonly payload: Arg;
  /** what was done, for the history */
  readonly note: Arg;
  readonly maxFlags: number;
  /** 0: no history */
  readonly maxNotes: number;
  /** of those who follow */
  readonly channel: string;
}

export type WriteResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "full" }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "forgotten" };

/**
 * Stores a flag or deletes it, unless another version of it is there, and notes what was done. `forgotten`: a repeat, and whether it was
 * executed before is not known any more.
 */
export const write: Script<WriteKeys, WriteArgs, WriteResult> = {
  class: "dedupable",
  name: "flags.write",
  sha1: "ebdca0819bbf61f3c1d9311132d95875997643a4",
  lua: `-- flags.write
${NOW}local flags, history = KEYS[1], KEYS[2]
local opId, againMs, expected, erase, flag, payload, note, maxFlags, maxNotes, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local MAX_OPS = 16
local SKEW_MS = 1000
local field = '=' .. flag
local state = redis.call('HMGET', flags, 'version', 'ops', field)
local version, ops = tonumber(state[1]) or 0, state[2] or ''
local _, at = string.find(ops, opId .. '=', 1, true)
if at then return {'ok', string.match(ops, '^%d+', at + 1)} end
local current = state[3] and tonumber(string.match(state[3], '^%d+')) or 0
local oldest = tonumber(string.match(ops, '=(%d+),$'))
local sentAt = (now() - againMs - SKEW_MS) * 1000
if expected >= 0 and expected ~= current then
  local remembers = oldest and (oldest < sentAt or (expected > 0 and expected >= oldest))
  if againMs > 0 and not remembers then return {'forgotten'} end
  return {'conflict', string.format('%.0f', current)}
end
local _, count = string.gsub(ops, ',', ',')
if againMs > 0 and count >= MAX_OPS and oldest >= sentAt then return {'forgotten'} end
if erase and current == 0 then return {'missing'} end
if not erase and current == 0 and redis.call('HLEN', flags) - 2 >= maxFlags then return {'full'} end
local number = string.format('%.0f', math.max(version + 1, nowMicros()))
if count >= MAX_OPS then ops = string.match(ops, '^(.*,)[^,]*,$') end
redis.call('HSET', flags, 'version', number, 'ops', opId .. '=' .. number .. ',' .. ops)
if erase then redis.call('HDEL', flags, field) else redis.call('HSET', flags, field, number .. '\\n' .. payload) end
if maxNotes > 0 then
  redis.call('LPUSH', history, number .. '\\n' .. note)
  redis.call('LTRIM', history, 0, maxNotes - 1)
end
redis.call('PUBLISH', channel, number)
return {'ok', number}
`,
  encodeKeys(keys, out) {
    out.push(keys.flags, keys.history);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("againMs", args.againMs), encodeInt("expected", args.expected), encodeBool(args.erase), args.flag, args.payload, args.note, encodeInt("maxFlags", args.maxFlags), encodeInt("maxNotes", args.maxNotes), args.channel);
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
      case "full":
        expectFields(fields, 0);
        return { status: "full" };
      case "conflict":
        expectFields(fields, 1);
        return { status: "conflict", version: decodeInt(fields[1]) };
      case "forgotten":
        expectFields(fields, 0);
        return { status: "forgotten" };
      default:
        throw new UnexpectedReplyError("one of ok, missing, full, conflict, forgotten", reply);
    }
  },
};
