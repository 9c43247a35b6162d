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

const FENCE = `local FENCE_TTL_MS = 86400000
local function keepFence(fence, number, ttlMs)
  redis.call('SET', fence, string.format('%.0f', number), 'PX', FENCE_TTL_MS + ttlMs)
end
`;

export interface AcquireKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly ended: Arg;
}

export interface AcquireArgs {
  readonly token: string;
  readonly ttlMs: number;
  /** longer than anybody may have it */
  readonly maxTtlMs: number;
  readonly lateCopies: boolean;
}

export type AcquireResult =
  | { readonly status: "given"; readonly fence: number }
  | { readonly status: "busy" };

/** Gives this server's vote for a lock to an attempt, if nobody has it, or that attempt has it already. */
export const acquire: Script<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "redlock.acquire",
  sha1: "951173c87e337d3c58e5584a495268ebb23e187b",
  lua: `-- redlock.acquire
${NOW}${FENCE}local lock, fence, ended = KEYS[1], KEYS[2], KEYS[3]
local token, ttlMs, maxTtlMs, lateCopies = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
if lateCopies and redis.call('EXISTS', ended) == 1 then return {'busy'} end
local holder = redis.call('GET', lock)
if holder and holder ~= token then
  local leftMs = redis.call('PTTL', lock)
  if leftMs < 0 or leftMs > maxTtlMs then redis.call('PEXPIRE', lock, maxTtlMs) end
  return {'busy'}
end
local number = math.max((redis.call('GET', fence) or 0) + 1, nowMicros())
redis.call('SET', lock, token, 'PX', ttlMs)
keepFence(fence, number, ttlMs)
return {'given', number}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.ended);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), encodeInt("maxTtlMs", args.maxTtlMs), encodeBool(args.lateCopies));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "given":
        expectFields(fields, 1);
        return { status: "given", fence: decodeInt(fields[1]) };
      case "busy":
        expectFields(fields, 0);
        return { status: "busy" };
      default:
        throw new UnexpectedReplyError("one of given, busy", reply);
    }
  },
};

export interface ExtendKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly ended: Arg;
}

export interface ExtendArgs {
  readonly token: string;
  readonly ttlMs: number;
  readonly number: number;
  readonly lateCopies: boolean;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Prolongs a vote and stores the fence that a majority agreed on. A server that was away, or has forgotten its vote, gives it now. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "dedupable",
  name: "redlock.extend",
  sha1: "34dfa94669e34c11e57108b89d32a52889e97672",
  lua: `-- redlock.extend
${FENCE}local lock, fence, ended = KEYS[1], KEYS[2], KEYS[3]
local token, ttlMs, number, lateCopies = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
if lateCopies and redis.call('EXISTS', ended) == 1 then return {'expired'} end
local holder = redis.call('GET', lock)
if holder and holder ~= token then return {'stolen'} end
if holder then redis.call('PEXPIRE', lock, ttlMs, 'GT') else redis.call('SET', lock, token, 'PX', ttlMs) end
if tonumber(redis.call('GET', fence) or 0) < number then
  keepFence(fence, number, ttlMs)
else
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + ttlMs, 'GT')
end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.ended);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), encodeInt("number", args.number), encodeBool(args.lateCopies));
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
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of extended, expired, stolen", reply);
    }
  },
};

export interface ReleaseKeys {
  readonly lock: Arg;
  readonly ended: Arg;
}

export interface ReleaseArgs {
  readonly token: string;
  readonly lateCopies: boolean;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Takes a vote back, also one that is still on its way. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "redlock.release",
  sha1: "0c0b30cc6267724b394b069a5ae2803dbe7cf87e",
  lua: `-- redlock.release
local lock, ended = KEYS[1], KEYS[2]
local token, lateCopies = ARGV[1], ARGV[2] == '1'
local ENDED_TTL_MS = 600000
local holder = redis.call('GET', lock)
if holder == token then redis.call('DEL', lock) end
if lateCopies then redis.pcall('SET', ended, '', 'PX', ENDED_TTL_MS) end
if holder == token then return {'released'} end
return {holder and 'stolen' or 'expired'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.ended);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeBool(args.lateCopies));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of released, expired, stolen", reply);
    }
  },
};
