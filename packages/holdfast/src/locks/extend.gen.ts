// Generated from extend.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface ExtendKeys {
  readonly lock: Arg;
}

export interface ExtendArgs {
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "locks.extend",
  sha1: "d37e1385c80aaffeedac56729eeb51c8f51eb223",
  lua: `-- locks.extend
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
local lock = KEYS[1]
local owner, token, ttlMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local state = redis.call('HMGET', lock, 'owner', token)
local holder, expiresAt = state[1], state[2]
if not expiresAt then
  if holder and holder ~= owner then return {'stolen'} end
  return {'expired'}
end
redis.call('HSET', lock, token, math.max(tonumber(expiresAt), now() + ttlMs))
redis.call('PEXPIRE', lock, ttlMs, 'GT')
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("ttlMs", args.ttlMs));
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
