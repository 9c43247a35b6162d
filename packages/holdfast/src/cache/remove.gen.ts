// Generated from remove.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBool } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface RemoveKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface RemoveArgs {
  readonly wakeChannel: string;
}

export type RemoveResult = boolean;

/** Remove a value and end any load in flight: what it read may be what is being deleted. */
export const remove: Script<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "cache.remove",
  sha1: "a54cc5ab649d88fe3fee7aafb0538695301af25a",
  lua: `-- cache.remove
local value, lease = KEYS[1], KEYS[2]
local wakeChannel = ARGV[1]
local removed = redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return removed
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel);
  },
  decode(reply) {
    return decodeBool(reply);
  },
};
