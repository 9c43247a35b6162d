// Generated from take.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../../src/script/decode.ts";
import { encodeInt } from "../../src/script/encode.ts";
import type { BatchScript } from "../../src/script/script.ts";

export interface TakeKeys {
  readonly stock: Arg;
}

export interface TakeArgs {
  readonly amount: number;
  readonly ttlMs: number;
}

export type TakeResult =
  | { readonly status: "taken"; readonly left: number; readonly at: number }
  | { readonly status: "short"; readonly left: number };

/** Takes from a stock unless that would leave less than nothing. */
export const take: BatchScript<TakeKeys, TakeArgs, TakeResult> = {
  class: "unsafe",
  name: "sample-scripts.take",
  sha1: "c9590a7a463e89cc7e7cd373f00d068f7fab16f2",
  lua: `-- sample-scripts.take
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
local stock = KEYS[1]
local amount, ttlMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = tonumber(redis.call('GET', stock) or '0')
if left < amount then
  return {'short', left}
end
redis.call('SET', stock, left - amount, 'PX', ttlMs)
return {'taken', left - amount, now()}
`,
  encodeKeys(keys, out) {
    out.push(keys.stock);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("amount", args.amount), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "taken":
        expectFields(fields, 2);
        return { status: "taken", left: decodeInt(fields[1]), at: decodeInt(fields[2]) };
      case "short":
        expectFields(fields, 1);
        return { status: "short", left: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of taken, short", reply);
    }
  },
  merged: {
    name: "sample-scripts.take (merged)",
    sha1: "a64f297a357ef04ad0125e582d0b0c3d187850c9",
    lua: `-- sample-scripts.take
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
  local stock = KEYS[keyAt + 1]
  local amount, ttlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local left = tonumber(redis.call('GET', stock) or '0')
  if left < amount then
    return {'short', left}
  end
  redis.call('SET', stock, left - amount, 'PX', ttlMs)
  return {'taken', left - amount, now()}
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
