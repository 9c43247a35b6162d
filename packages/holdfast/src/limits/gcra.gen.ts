// Generated from gcra.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface GcraKeys {
  readonly state: Arg;
}

export interface GcraArgs {
  readonly costMicros: number;
  readonly depthMicros: number;
}

export type GcraResult = number;

/**
 * Take `costMicros` out of a bucket that holds `depthMicros` and refills by one microsecond per microsecond.
 * GCRA as virtual scheduling (ITU-T I.371, annex A). `state` is the theoretical arrival time (TAT): the microsecond at
 * which the bucket is full again. A full bucket is no key, so the key expires at its TAT and not before it.
 * The reply is the backlog (TAT minus now): after the cost was taken, or negated where it was denied and nothing changed.
 */
export const gcra: BatchScript<GcraKeys, GcraArgs, GcraResult> = {
  class: "unsafe",
  name: "limits.gcra",
  sha1: "37c148cf55c4dd80e4b365e6ef9fd53d44add33e",
  lua: `-- limits.gcra
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
local state = KEYS[1]
local costMicros, depthMicros = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = nowMicros()
local backlog = math.max((redis.call('GET', state) or at) - at, 0)
local taken = backlog + costMicros
if taken > depthMicros then return -backlog end
redis.call('SET', state, at + taken, 'PXAT', math.ceil((at + taken) / 1000))
return taken
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("costMicros", args.costMicros), encodeInt("depthMicros", args.depthMicros));
  },
  decode(reply) {
    return decodeInt(reply);
  },
  merged: {
    name: "limits.gcra (merged)",
    sha1: "40fa50ecb54d9b44d86665965ffba45243173551",
    lua: `-- limits.gcra
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
local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local costMicros, depthMicros = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local at = nowMicros()
  local backlog = math.max((redis.call('GET', state) or at) - at, 0)
  local taken = backlog + costMicros
  if taken > depthMicros then return -backlog end
  redis.call('SET', state, at + taken, 'PXAT', math.ceil((at + taken) / 1000))
  return taken
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 2
end
return outcomes
`,
  },
};
