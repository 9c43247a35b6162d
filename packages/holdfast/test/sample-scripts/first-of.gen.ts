// Generated from first-of.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { decodeOptional, decodeText } from "../../src/script/decode.ts";
import type { BatchScript, None } from "../../src/script/script.ts";

export interface FirstOfKeys {
  readonly board: Arg;
}

export type FirstOfArgs = None;

export type FirstOfResult = string | null;

/** The first member of a set of scores, if there is one: a batchable script whose reply may be nil. */
export const firstOf: BatchScript<FirstOfKeys, FirstOfArgs, FirstOfResult> = {
  class: "read",
  name: "sample-scripts.firstOf",
  sha1: "11750b60f550b812f50ad51d1beb16c7c7661c7c",
  lua: `-- sample-scripts.firstOf
local board = KEYS[1]
return redis.call('ZRANGE', board, 0, 0)[1]
`,
  encodeKeys(keys, out) {
    out.push(keys.board);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeOptional(reply, decodeText);
  },
  merged: {
    name: "sample-scripts.firstOf (merged)",
    sha1: "669fd06ca7f6233505483ad03b869ceb006ccf5b",
    lua: `-- sample-scripts.firstOf
local function run(keyAt, argAt)
  local board = KEYS[keyAt + 1]
  return redis.call('ZRANGE', board, 0, 0)[1]
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
