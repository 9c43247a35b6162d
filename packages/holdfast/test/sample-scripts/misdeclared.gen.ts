// Generated from misdeclared.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../../src/script/decode.ts";
import type { BatchScript } from "../../src/script/script.ts";

export interface MisdeclaredKeys {
  readonly anything: Arg;
}

export interface MisdeclaredArgs {
  readonly reply: string;
}

export type MisdeclaredResult =
  | { readonly status: "number"; readonly value: number };

/** Its header is wrong on purpose: what the header does not allow must come out as an error. */
export const misdeclared: BatchScript<MisdeclaredKeys, MisdeclaredArgs, MisdeclaredResult> = {
  class: "read",
  name: "sample-scripts.misdeclared",
  sha1: "1a7ad9d8687a965aa1e833659a82f7169993b0ca",
  lua: `-- sample-scripts.misdeclared
local anything = KEYS[1]
local reply = ARGV[1]
if reply == 'status' then return {'surprise'} end
if reply == 'type' then return {'number', 'twelve'} end
if reply == 'missing' then return {'number'} end
if reply == 'extra' then return {'number', 12, 13} end
return {'number', 12}
`,
  encodeKeys(keys, out) {
    out.push(keys.anything);
  },
  encodeArgs(args, out) {
    out.push(args.reply);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "number":
        expectFields(fields, 1);
        return { status: "number", value: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of number", reply);
    }
  },
  merged: {
    name: "sample-scripts.misdeclared (merged)",
    sha1: "95a92fc41fdcd9d32cc08b9df951db0552de8f8a",
    lua: `-- sample-scripts.misdeclared
local function run(keyAt, argAt)
  local anything = KEYS[keyAt + 1]
  local reply = ARGV[argAt + 1]
  if reply == 'status' then return {'surprise'} end
  if reply == 'type' then return {'number', 'twelve'} end
  if reply == 'missing' then return {'number'} end
  if reply == 'extra' then return {'number', 12, 13} end
  return {'number', 12}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 1
end
return outcomes
`,
  },
};
