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
  readonly token: string;
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
 */
export const lookup: Script<LookupKeys, LookupArgs, LookupResult> = {
  class: "dedupable",
  name: "cache.lookup",
  sha1: "324182fd2744d00c13e413eec429440c8c9668ab",
  lua: `-- cache.lookup
local value, lease = KEYS[1], KEYS[2]
local token, leaseMs, reload = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
if not reload then
  local found = redis.call('GET', value)
  if found then return {'hit', found} end
end
local holder = redis.call('HGET', lease, 'token')
if holder and holder ~= token then
  redis.call('HSET', lease, 'waiters', 1)
  return {'wait', redis.call('PTTL', lease)}
end
redis.call('HSET', lease, 'token', token)
redis.call('PEXPIRE', lease, leaseMs)
return {'leased'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs), encodeBool(args.reload));
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
