// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

const COUNT = `local function count(list, member, by, counters)
  if redis.call('ZSCORE', list, member) then
    redis.call('ZINCRBY', list, by, member)
  elseif redis.call('ZCARD', list) < counters then
    redis.call('ZADD', list, by, member)
  else
    redis.call('ZADD', list, redis.call('ZPOPMIN', list)[2] + by, member)
  end
end
local function expire(list, ttlMs, expiresAt)
  if ttlMs > 0 then
    redis.call('PEXPIRE', list, ttlMs)
  elseif redis.call('PTTL', list) == -1 then
    redis.call('PEXPIREAT', list, expiresAt)
  end
end
`;

export interface AddOnceKeys {
  readonly list: Arg;
  readonly receipt: Arg;
}

export interface AddOnceArgs {
  readonly counters: number;
  readonly ttlMs: number;
  readonly expiresAt: number;
  readonly member: string;
  readonly by: number;
  readonly receiptTtlMs: number;
}

export type AddOnceResult =
  | { readonly status: "ok" };

/** As add for one member, unless `receipt` shows that it was done. */
export const addOnce: BatchScript<AddOnceKeys, AddOnceArgs, AddOnceResult> = {
  class: "dedupable",
  name: "topk.addOnce",
  sha1: "a126916af4e0a76952618f782609466b99a7b2f0",
  lua: `-- topk.addOnce
${COUNT}local list, receipt = KEYS[1], KEYS[2]
local counters, ttlMs, expiresAt, member, by, receiptTtlMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if redis.call('EXISTS', receipt) == 1 then return {'ok'} end
count(list, member, by, counters)
expire(list, ttlMs, expiresAt)
redis.call('SET', receipt, '', 'PX', receiptTtlMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.list, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("counters", args.counters), encodeInt("ttlMs", args.ttlMs), encodeInt("expiresAt", args.expiresAt), args.member, encodeInt("by", args.by), encodeInt("receiptTtlMs", args.receiptTtlMs));
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
  most: 128,
  merged: {
    name: "topk.addOnce (merged)",
    sha1: "21421b2504be63113e3c125aa6bf8162823ef635",
    lua: `-- topk.addOnce
${COUNT}local function run(keyAt, argAt)
  local list, receipt = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local counters, ttlMs, expiresAt, member, by, receiptTtlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6])
  if redis.call('EXISTS', receipt) == 1 then return {'ok'} end
  count(list, member, by, counters)
  expire(list, ttlMs, expiresAt)
  redis.call('SET', receipt, '', 'PX', receiptTtlMs)
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 2 do
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

export interface AddKeys {
  /** sorted set: members by their counts */
  readonly list: Arg;
}

export interface AddArgs {
  /** members that it has at most */
  readonly counters: number;
  /** from now; 0: none */
  readonly ttlMs: number;
  /** instead, ms */
  readonly expiresAt: number;
  /** a member, and how often */
  readonly entries: readonly string[];
}

export type AddResult =
  | { readonly status: "ok" };

/** Counts members. */
export const add: Script<AddKeys, AddArgs, AddResult> = {
  class: "unsafe",
  name: "topk.add",
  sha1: "108eeebc392847ed01184fed3eb29e86e1361a32",
  lua: `-- topk.add
${COUNT}local list = KEYS[1]
local counters, ttlMs, expiresAt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local entries = {}
for i = 4, #ARGV do entries[i - 3] = ARGV[i] end
for at = 1, #entries, 2 do count(list, entries[at], entries[at + 1], counters) end
expire(list, ttlMs, expiresAt)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.list);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("counters", args.counters), encodeInt("ttlMs", args.ttlMs), encodeInt("expiresAt", args.expiresAt));
    for (const each of args.entries) out.push(each);
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
