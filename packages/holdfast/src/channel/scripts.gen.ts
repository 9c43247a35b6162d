// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
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

export interface AskKeys {
  /** of the group: ids with the ends of their leases */
  readonly responders: Arg;
}

export interface AskArgs {
  /** what the names of the responders' channels begin with */
  readonly to: string;
  /** the channel of all responders, who register again when they hear of it */
  readonly call: string;
  /** whose turn it is */
  readonly turn: number;
  /** nobody is waited for any more: those who are not connected are forgotten */
  readonly last: boolean;
  readonly frame: Arg;
}

export type AskResult =
  | { readonly status: "sent"; readonly responder: string }
  | { readonly status: "away" }
  | { readonly status: "none" };

/** Hands a request to one responder of a group, in turn; one that is not connected is passed over. */
export const ask: Script<AskKeys, AskArgs, AskResult> = {
  class: "unsafe",
  name: "channel.ask",
  sha1: "aec4bdc5e3f05072d5902f51d409bb39e4a3b839",
  lua: `-- channel.ask
${NOW}local responders = KEYS[1]
local to, call, turn, last, frame = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
local MOST_AT_A_TIME = 32
redis.call('ZREMRANGEBYSCORE', responders, '-inf', now())
local count = redis.call('ZCARD', responders)
local probes = math.min(count, MOST_AT_A_TIME)
local gone = {}
for step = 0, probes - 1 do
  local at = (turn + step) % count
  local id = redis.call('ZRANGE', responders, at, at)[1]
  if redis.call('SPUBLISH', to .. id, frame) > 0 then
    if #gone > 0 then redis.call('ZREM', responders, unpack(gone)) end
    return {'sent', id}
  end
  gone[#gone + 1] = id
end
if last and #gone > 0 then redis.call('ZREM', responders, unpack(gone)) end
if last and probes == count then return 'none' end
if count > 0 or redis.call('SPUBLISH', call, '') > 0 then return 'away' end
return 'none'
`,
  encodeKeys(keys, out) {
    out.push(keys.responders);
  },
  encodeArgs(args, out) {
    out.push(args.to, args.call, encodeInt("turn", args.turn), encodeBool(args.last), args.frame);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "sent":
        expectFields(fields, 1);
        return { status: "sent", responder: decodeText(fields[1]) };
      case "away":
        expectFields(fields, 0);
        return { status: "away" };
      case "none":
        expectFields(fields, 0);
        return { status: "none" };
      default:
        throw new UnexpectedReplyError("one of sent, away, none", reply);
    }
  },
};

export interface RegisterKeys {
  /** of the group: ids with the ends of their leases */
  readonly responders: Arg;
  /** of the channel, with the ends of their leases */
  readonly groups: Arg;
}

export interface RegisterArgs {
  readonly group: string;
  readonly id: string;
  readonly leaseMs: number;
}

export type RegisterResult = boolean;

/** Registers a responder of a group for one lease; those whose leases have ended are forgotten. */
export const register: Script<RegisterKeys, RegisterArgs, RegisterResult> = {
  class: "idempotent",
  name: "channel.register",
  sha1: "573c4a24fd035eed177af260ad4f7afae35cf846",
  lua: `-- channel.register
${NOW}local responders, groups = KEYS[1], KEYS[2]
local group, id, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function renew(key, member)
  local answer = redis.pcall('ZADD', key, now() + leaseMs, member)
  if type(answer) == 'table' and answer.err then
    if not redis.call('ZSCORE', key, member) then return answer end
    redis.call('PEXPIRE', key, leaseMs)
    redis.call('ZADD', key, 'XX', now() + leaseMs, member)
    return nil
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now())
  redis.call('PEXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
end
local refused = renew(responders, id) or renew(groups, group)
return refused or 1
`,
  encodeKeys(keys, out) {
    out.push(keys.responders, keys.groups);
  },
  encodeArgs(args, out) {
    out.push(args.group, args.id, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeBool(reply);
  },
};
