// Generated from abandon.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface AbandonKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface AbandonArgs {
  readonly token: string;
  readonly wakeChannel: string;
}

export type AbandonResult =
  | { readonly status: "abandoned" }
  | { readonly status: "superseded" };

/** Give the right to load back without a value, so that a waiter can try. */
export const abandon: Script<AbandonKeys, AbandonArgs, AbandonResult> = {
  class: "idempotent",
  name: "cache.abandon",
  sha1: "a3d41e01734c22633b33810a6ee3ea8d702dfee1",
  lua: `-- cache.abandon
local value, lease = KEYS[1], KEYS[2]
local token, wakeChannel = ARGV[1], ARGV[2]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'abandoned'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "abandoned":
        expectFields(fields, 0);
        return { status: "abandoned" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of abandoned, superseded", reply);
    }
  },
};
