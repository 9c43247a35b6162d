// Generated from set.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBool } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface SetKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface SetArgs {
  readonly ttlMs: number;
  readonly wakeChannel: string;
  readonly payload: Arg;
}

export type SetResult = boolean;

/** Store a value and end any load in flight, whose result would be older. */
export const set: Script<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "cache.set",
  sha1: "1ad29e25718cafa96886f90fb03b3f147ae0d2d4",
  lua: `-- cache.set
local value, lease = KEYS[1], KEYS[2]
local ttlMs, wakeChannel, payload = tonumber(ARGV[1]), ARGV[2], ARGV[3]
redis.call('SET', value, payload, 'PX', ttlMs)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs), args.wakeChannel, args.payload);
  },
  decode(reply) {
    return decodeBool(reply);
  },
};
