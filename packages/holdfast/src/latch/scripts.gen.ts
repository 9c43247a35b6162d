// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { None, Script } from "../core/script/script.ts";

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

export interface CountDownKeys {
  readonly latch: Arg;
  /** the round before */
  readonly previous: Arg;
}

export interface CountDownArgs {
  readonly id: string;
  /** names this call */
  readonly opId: string;
  /** it is sent again */
  readonly again: boolean;
  /** of a round that begins */
  readonly count: number;
  readonly ttlMs: number;
  /** of those who wait */
  readonly channel: string;
}

export type CountDownResult =
  | { readonly status: "ok"; readonly remaining: number; readonly round: number };

/** Count down once for an id; the last one opens the round. The first begins it. */
export const countDown: Script<CountDownKeys, CountDownArgs, CountDownResult> = {
  class: "dedupable",
  name: "latch.countDown",
  sha1: "862e3d478a5f14550759b16e34b23694fc3c6e72",
  lua: `-- latch.countDown
${NOW}local latch, previous = KEYS[1], KEYS[2]
local id, opId, again, count, ttlMs, channel = ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local HEAD_FIELDS = 3
if again then
  local before = redis.call('HMGET', previous, 'i:' .. id, 'round')
  if before[1] == opId then return {'ok', 0, before[2]} end
end
local state = redis.call('HMGET', latch, 'round', 'count')
local round, total = state[1], tonumber(state[2]) or count
if not round then
  round = string.format('%.0f', nowMicros())
  redis.call('HSET', latch, 'round', round, 'count', count, 'opened', 0)
end
local remaining = total - (redis.call('HLEN', latch) - HEAD_FIELDS)
if remaining > 0 and redis.call('HSETNX', latch, 'i:' .. id, opId) == 1 then
  remaining = remaining - 1
  if remaining == 0 then
    redis.call('HSET', latch, 'opened', 1)
    redis.call('PUBLISH', channel, round)
  end
end
redis.call('PEXPIRE', latch, ttlMs)
return {'ok', remaining, round}
`,
  encodeKeys(keys, out) {
    out.push(keys.latch, keys.previous);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.opId, encodeBool(args.again), encodeInt("count", args.count), encodeInt("ttlMs", args.ttlMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", remaining: decodeInt(fields[1]), round: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ReadKeys {
  readonly latch: Arg;
  readonly previous: Arg;
}

export type ReadArgs = None;

export type ReadResult =
  | { readonly status: "none" }
  | { readonly status: "round"; readonly round: number; readonly count: number; readonly remaining: number; readonly previous: number; readonly previousOpened: boolean };

/** How far the round is, and whether the one before was opened. */
export const read: Script<ReadKeys, ReadArgs, ReadResult> = {
  class: "read",
  name: "latch.read",
  sha1: "44bd82c55e544f19f2df934365116b528b31d497",
  lua: `-- latch.read
local latch, previous = KEYS[1], KEYS[2]
local HEAD_FIELDS = 3
local state = redis.call('HMGET', latch, 'round', 'count')
if not state[1] then return {'none'} end
local remaining = state[2] - (redis.call('HLEN', latch) - HEAD_FIELDS)
local before = redis.call('HMGET', previous, 'round', 'opened')
return {'round', state[1], state[2], math.max(remaining, 0), before[1] or 0, before[2] == '1'}
`,
  encodeKeys(keys, out) {
    out.push(keys.latch, keys.previous);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "none":
        expectFields(fields, 0);
        return { status: "none" };
      case "round":
        expectFields(fields, 5);
        return { status: "round", round: decodeInt(fields[1]), count: decodeInt(fields[2]), remaining: decodeInt(fields[3]), previous: decodeInt(fields[4]), previousOpened: decodeBool(fields[5]) };
      default:
        throw new UnexpectedReplyError("one of none, round", reply);
    }
  },
};

export interface ResetKeys {
  readonly latch: Arg;
  readonly previous: Arg;
}

export interface ResetArgs {
  readonly round: number;
  readonly count: number;
  readonly ttlMs: number;
  readonly channel: string;
}

export type ResetResult =
  | { readonly status: "ok"; readonly round: number };

/** Begin the next round, unless that has happened since `round`. */
export const reset: Script<ResetKeys, ResetArgs, ResetResult> = {
  class: "idempotent",
  name: "latch.reset",
  sha1: "20e5db8f176fca1874559e47eb5e57659dc8dc38",
  lua: `-- latch.reset
${NOW}local latch, previous = KEYS[1], KEYS[2]
local round, count, ttlMs, channel = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local PREVIOUS_TTL_MS = 60000
local stored = redis.call('HGET', latch, 'round')
local current = tonumber(stored) or 0
if stored and current ~= round then return {'ok', stored} end
local number = string.format('%.0f', math.max(round + 1, nowMicros()))
if stored then
  redis.call('RENAME', latch, previous)
  redis.call('PEXPIRE', previous, PREVIOUS_TTL_MS)
end
redis.call('HSET', latch, 'round', number, 'count', count, 'opened', 0)
redis.call('PEXPIRE', latch, ttlMs)
redis.call('PUBLISH', channel, number)
return {'ok', number}
`,
  encodeKeys(keys, out) {
    out.push(keys.latch, keys.previous);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("round", args.round), encodeInt("count", args.count), encodeInt("ttlMs", args.ttlMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", round: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};
