// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
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

const ROUND = `local MAX_BROKEN = 32
local function wasBroken(last, floor, round)
  if round < (tonumber(floor) or 0) then return true end
  for each in string.gmatch(last or '', '%d+') do
    if tonumber(each) == round then return true end
  end
  return false
end
local function breakRound(barrier, members, channel, round)
  local rounds = {round}
  for each in string.gmatch(redis.call('HGET', barrier, 'last') or '', '%d+') do rounds[#rounds + 1] = each end
  if #rounds > MAX_BROKEN then redis.call('HSET', barrier, 'floor', string.format('%.0f', tonumber(table.remove(rounds)) + 1)) end
  redis.call('HSET', barrier, 'phase', 'broken', 'last', table.concat(rounds, ' '))
  redis.call('DEL', members)
  redis.call('PUBLISH', channel, round)
end
local function isBroken(barrier, members, channel, round)
  local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
  if early and tonumber(early) > now() then return false end
  breakRound(barrier, members, channel, round)
  return true
end
`;

export interface ArriveKeys {
  readonly barrier: Arg;
  readonly members: Arg;
}

export interface ArriveArgs {
  readonly token: string;
  readonly parties: number;
  readonly ttlMs: number;
  /** by the server's clock; whoever asked has given up after it */
  readonly untilMs: number;
  readonly channel: string;
}

export type ArriveResult =
  | { readonly status: "inside"; readonly round: number }
  | { readonly status: "gathering"; readonly missing: number }
  | { readonly status: "busy"; readonly leftMs: number }
  | { readonly status: "late" };

/** Enter, or stay entered; the last of them lets all in. */
export const arrive: Script<ArriveKeys, ArriveArgs, ArriveResult> = {
  class: "idempotent",
  name: "barrier.arrive",
  sha1: "ee130da571a81a6aae37d527238f665c14d16829",
  lua: `-- barrier.arrive
${NOW}${ROUND}local barrier, members = KEYS[1], KEYS[2]
local token, parties, ttlMs, untilMs, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local KEEP_MS = 86400000
if now() > untilMs then return {'late'} end
local state = redis.call('HMGET', barrier, 'round', 'phase')
local round, phase = state[1], state[2]
if phase == 'inside' and not isBroken(barrier, members, channel, round) then
  if redis.call('ZADD', members, 'XX', 'CH', now() + ttlMs, token) == 1 or redis.call('ZSCORE', members, token) then
    redis.call('PEXPIRE', members, ttlMs + KEEP_MS)
    return {'inside', round}
  end
  local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
  return {'busy', early and math.max(early - now(), 0) or 0}
end
if phase ~= 'gathering' then
  round = string.format('%.0f', math.max((tonumber(round) or 0) + 1, nowMicros()))
  local last = redis.call('HGET', barrier, 'last') or ''
  local floor = state[1] and (redis.call('HGET', barrier, 'floor') or 0) or round
  redis.call('DEL', barrier, members)
  redis.call('HSET', barrier, 'round', round, 'phase', 'gathering', 'last', last, 'floor', floor)
end
redis.call('ZREMRANGEBYSCORE', members, '-inf', now())
redis.call('ZADD', members, now() + ttlMs, token)
redis.call('PEXPIRE', barrier, ttlMs + KEEP_MS)
redis.call('PEXPIRE', members, ttlMs + KEEP_MS)
local missing = parties - redis.call('ZCARD', members)
if missing > 0 then return {'gathering', missing} end
redis.call('HSET', barrier, 'phase', 'inside')
redis.call('PUBLISH', channel, round)
return {'inside', round}
`,
  encodeKeys(keys, out) {
    out.push(keys.barrier, keys.members);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("parties", args.parties), encodeInt("ttlMs", args.ttlMs), encodeInt("untilMs", args.untilMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "inside":
        expectFields(fields, 1);
        return { status: "inside", round: decodeInt(fields[1]) };
      case "gathering":
        expectFields(fields, 1);
        return { status: "gathering", missing: decodeInt(fields[1]) };
      case "busy":
        expectFields(fields, 1);
        return { status: "busy", leftMs: decodeInt(fields[1]) };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of inside, gathering, busy, late", reply);
    }
  },
};

export interface LeaveKeys {
  readonly barrier: Arg;
  readonly members: Arg;
}

export interface LeaveArgs {
  readonly token: string;
  readonly round: number;
  readonly channel: string;
}

export type LeaveResult =
  | { readonly status: "left" }
  | { readonly status: "broken" };

/** Leave; the last of them ends the round. */
export const leave: Script<LeaveKeys, LeaveArgs, LeaveResult> = {
  class: "dedupable",
  name: "barrier.leave",
  sha1: "655768f1ce84b1b3b815cd72bce80d19fa37e3b1",
  lua: `-- barrier.leave
${NOW}${ROUND}local barrier, members = KEYS[1], KEYS[2]
local token, round, channel = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local state = redis.call('HMGET', barrier, 'round', 'phase', 'last', 'floor', 'l:' .. token)
if wasBroken(state[3], state[4], round) then return {'broken'} end
if tonumber(state[1]) ~= round then return {state[1] and 'left' or 'broken'} end
if state[5] or state[2] == 'over' then return {'left'} end
if isBroken(barrier, members, channel, state[1]) or redis.call('ZREM', members, token) == 0 then return {'broken'} end
redis.call('HSET', barrier, 'l:' .. token, 1)
if redis.call('ZCARD', members) == 0 then
  redis.call('HSET', barrier, 'phase', 'over')
  redis.call('PUBLISH', channel, state[1])
end
return {'left'}
`,
  encodeKeys(keys, out) {
    out.push(keys.barrier, keys.members);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("round", args.round), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "left":
        expectFields(fields, 0);
        return { status: "left" };
      case "broken":
        expectFields(fields, 0);
        return { status: "broken" };
      default:
        throw new UnexpectedReplyError("one of left, broken", reply);
    }
  },
};

export interface LookKeys {
  readonly barrier: Arg;
  readonly members: Arg;
}

export interface LookArgs {
  readonly round: number;
  readonly channel: string;
}

export type LookResult =
  | { readonly status: "over" }
  | { readonly status: "broken" }
  | { readonly status: "inside"; readonly leftMs: number };

/** Whether a round is over or broken, for one that has left it. */
export const look: Script<LookKeys, LookArgs, LookResult> = {
  class: "idempotent",
  name: "barrier.look",
  sha1: "8d6e31d6deb204937296a243cf6ee3751e80acb8",
  lua: `-- barrier.look
${NOW}${ROUND}local barrier, members = KEYS[1], KEYS[2]
local round, channel = tonumber(ARGV[1]), ARGV[2]
local state = redis.call('HMGET', barrier, 'round', 'phase', 'last', 'floor')
if wasBroken(state[3], state[4], round) then return {'broken'} end
if tonumber(state[1]) ~= round then return {state[1] and 'over' or 'broken'} end
if state[2] == 'over' then return {'over'} end
if isBroken(barrier, members, channel, state[1]) then return {'broken'} end
local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
return {'inside', early - now()}
`,
  encodeKeys(keys, out) {
    out.push(keys.barrier, keys.members);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("round", args.round), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "over":
        expectFields(fields, 0);
        return { status: "over" };
      case "broken":
        expectFields(fields, 0);
        return { status: "broken" };
      case "inside":
        expectFields(fields, 1);
        return { status: "inside", leftMs: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of over, broken, inside", reply);
    }
  },
};

export interface RenewKeys {
  readonly barrier: Arg;
  readonly members: Arg;
}

export interface RenewArgs {
  readonly token: string;
  readonly round: number;
  readonly ttlMs: number;
  readonly channel: string;
}

export type RenewResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" };

/** Stay inside; whoever finds one that died breaks the barrier. */
export const renew: Script<RenewKeys, RenewArgs, RenewResult> = {
  class: "idempotent",
  name: "barrier.renew",
  sha1: "10459b2f627fe4a7820b913570bb64fb5443531f",
  lua: `-- barrier.renew
${NOW}${ROUND}local barrier, members = KEYS[1], KEYS[2]
local token, round, ttlMs, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local state = redis.call('HMGET', barrier, 'round', 'phase')
if tonumber(state[1]) ~= round or state[2] ~= 'inside' then return {'expired'} end
if isBroken(barrier, members, channel, state[1]) then return {'expired'} end
if not redis.call('ZSCORE', members, token) then return {'expired'} end
redis.call('ZADD', members, 'XX', now() + ttlMs, token)
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.barrier, keys.members);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("round", args.round), encodeInt("ttlMs", args.ttlMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "extended":
        expectFields(fields, 0);
        return { status: "extended" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      default:
        throw new UnexpectedReplyError("one of extended, expired", reply);
    }
  },
};

export interface WithdrawKeys {
  readonly barrier: Arg;
  readonly members: Arg;
}

export interface WithdrawArgs {
  readonly token: string;
  readonly channel: string;
}

export type WithdrawResult =
  | { readonly status: "ok" };

/** Take part no longer: before all have entered that frees the place, after that it breaks the barrier. */
export const withdraw: Script<WithdrawKeys, WithdrawArgs, WithdrawResult> = {
  class: "idempotent",
  name: "barrier.withdraw",
  sha1: "6f394d8bddbd336ead1956ce64db4172c7a538c2",
  lua: `-- barrier.withdraw
${NOW}${ROUND}local barrier, members = KEYS[1], KEYS[2]
local token, channel = ARGV[1], ARGV[2]
if redis.call('ZREM', members, token) == 0 then return {'ok'} end
local state = redis.call('HMGET', barrier, 'round', 'phase')
if state[2] == 'inside' then breakRound(barrier, members, channel, state[1]) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.barrier, keys.members);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};
