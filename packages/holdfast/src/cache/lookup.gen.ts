// Generated from lookup.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface LookupKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface LookupArgs {
  readonly flight: string;
  readonly attempt: number;
  readonly leaseMs: number;
  readonly reload: boolean;
}

export type LookupResult =
  | { readonly status: "hit"; readonly value: Buffer }
  | { readonly status: "leased" }
  | { readonly status: "wait"; readonly leaseMs: number };

/**
 * Read the value, or take the right to load it: of all callers that miss, one is told `leased`, the others `wait`.
 * The token lives beside the value, not in it, and whoever deletes the value deletes the token with it.
 * An attempt whose answer was lost may be carried out late, after an invalidation. So each attempt of a flight has a number of its own, which is
 * part of the token: a later one takes over from an earlier one, and what the late one takes is no right of the flight's.
 */
export const lookup: Script<LookupKeys, LookupArgs, LookupResult> = {
  class: "unsafe",
  name: "cache.lookup",
  sha1: "9aa3a29ab403e0ecddc507fc6384bc634b640b77",
  lua: `-- cache.lookup
local value, lease = KEYS[1], KEYS[2]
local flight, attempt, leaseMs, reload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
if not reload then
  local found = redis.call('GET', value)
  if found then return {'hit', found} end
end
local holder = redis.call('HGET', lease, 'token')
if holder then
  local holding, before = string.match(holder, '^(.*)%.(%d+)$')
  if holding ~= flight or tonumber(before) > attempt then
    redis.call('HSET', lease, 'waiters', 1)
    return {'wait', redis.call('PTTL', lease)}
  end
end
redis.call('HSET', lease, 'token', flight .. '.' .. attempt)
redis.call('PEXPIRE', lease, leaseMs)
return {'leased'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.flight, encodeInt("attempt", args.attempt), encodeInt("leaseMs", args.leaseMs), encodeBool(args.reload));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "hit":
        expectFields(fields, 1);
        return { status: "hit", value: decodeBytes(fields[1]) };
      case "leased":
        expectFields(fields, 0);
        return { status: "leased" };
      case "wait":
        expectFields(fields, 1);
        return { status: "wait", leaseMs: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of hit, leased, wait", reply);
    }
  },
};
