// Generated from fill.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface FillKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface FillArgs {
  readonly token: string;
  readonly ttlMs: number;
  readonly wakeChannel: string;
  readonly payload: Arg;
}

export type FillResult =
  | { readonly status: "filled" }
  | { readonly status: "superseded" };

/** Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values. */
export const fill: Script<FillKeys, FillArgs, FillResult> = {
  class: "idempotent",
  name: "cache.fill",
  sha1: "fbde08de69b38bf52fe155f3f46222f834025b63",
  lua: `-- cache.fill
local value, lease = KEYS[1], KEYS[2]
local token, ttlMs, wakeChannel, payload = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('SET', value, payload, 'PX', ttlMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), args.wakeChannel, args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "filled":
        expectFields(fields, 0);
        return { status: "filled" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of filled, superseded", reply);
    }
  },
};
