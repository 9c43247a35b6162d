// Generated from gcra-peek.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt } from "../script/decode.ts";
import type { BatchScript, None } from "../script/script.ts";

export interface GcraPeekKeys {
  readonly state: Arg;
}

export type GcraPeekArgs = None;

export type GcraPeekResult = number;

/** The backlog of a GCRA bucket in microseconds; 0 when it is full. */
export const gcraPeek: BatchScript<GcraPeekKeys, GcraPeekArgs, GcraPeekResult> = {
  class: "read",
  name: "limits.gcraPeek",
  sha1: "62ff69f3151e982ae051da8059a95884dcc99082",
  lua: `-- limits.gcraPeek
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
local at = nowMicros()
return math.max((redis.call('GET', state) or at) - at, 0)
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
  merged: {
    name: "limits.gcraPeek (merged)",
    sha1: "f2aee42c157d3e9e138a8c8501a55878a01f7dc9",
    lua: `-- limits.gcraPeek
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
  local at = nowMicros()
  return math.max((redis.call('GET', state) or at) - at, 0)
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 0
end
return outcomes
`,
  },
};
