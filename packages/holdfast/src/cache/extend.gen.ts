// Generated from extend.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface ExtendKeys {
  readonly lease: Arg;
}

export interface ExtendArgs {
  readonly token: string;
  readonly leaseMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "superseded" };

/** Keep the right to load while the load runs. Never creates it: a delete in between has ended it. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "cache.extend",
  sha1: "9b76bdd564ecaadee1f761cd332053221f8b54c4",
  lua: `-- cache.extend
local lease = KEYS[1]
local token, leaseMs = ARGV[1], tonumber(ARGV[2])
if redis.call('HGET', lease, 'token') ~= token then return {'superseded'} end
redis.call('PEXPIRE', lease, leaseMs)
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "extended":
        expectFields(fields, 0);
        return { status: "extended" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of extended, superseded", reply);
    }
  },
};
