// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

export interface AddKeys {
  /** string: `uniques1` and 8 bytes for each hash, or a HyperLogLog */
  readonly window: Arg;
}

export interface AddArgs {
  /** 8 bytes each */
  readonly hashes: Arg;
  /** ms */
  readonly expiresAt: number;
  /** instead, from now; 0: none */
  readonly ttlMs: number;
}

export type AddResult =
  | { readonly status: "ok" }
  | { readonly status: "foreign" };

/**
 * Adds hashes to a window: a list of them, which is exact, and a HyperLogLog once there are more than 128. `foreign`: the key holds
 * something else, and nothing was changed.
 */
export const add: BatchScript<AddKeys, AddArgs, AddResult> = {
  class: "idempotent",
  name: "uniques.add",
  sha1: "d1e69ad075f65b8e9185f24ed740f071b6a9ca46",
  lua: `-- uniques.add
local window = KEYS[1]
local hashes, expiresAt, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local HEAD = 'uniques1'
local EXACT = 128
local head = redis.call('GETRANGE', window, 0, #HEAD - 1)
local isSketch = string.sub(head, 1, 4) == 'HYLL'
if head ~= '' and head ~= HEAD and not isSketch then return {'foreign'} end
local all, count = {}, 0
local kept = HEAD
if isSketch then
  for at = 1, #hashes, 8 do
    count = count + 1
    all[count] = string.sub(hashes, at, at + 7)
  end
else
  kept = redis.call('GET', window) or HEAD
  local isNew = {}
  for at = 1, #hashes, 8 do
    local hash = string.sub(hashes, at, at + 7)
    local found = string.find(kept, hash, #HEAD + 1, true)
    while found and found % 8 ~= 1 do found = string.find(kept, hash, found + 1, true) end
    if not found and not isNew[hash] then
      isNew[hash] = true
      count = count + 1
      all[count] = hash
    end
  end
end
if isSketch then
  redis.call('PFADD', window, unpack(all))
elseif (#kept - #HEAD) / 8 + count > EXACT then
  for at = #HEAD + 1, #kept, 8 do
    count = count + 1
    all[count] = string.sub(kept, at, at + 7)
  end
  redis.call('DEL', window)
  redis.call('PFADD', window, unpack(all))
  head = ''
elseif count > 0 then
  redis.call('APPEND', window, (head == '' and HEAD or '') .. table.concat(all))
end
if ttlMs > 0 then
  redis.call('PEXPIRE', window, ttlMs)
elseif head == '' then
  redis.call('PEXPIREAT', window, expiresAt)
end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.window);
  },
  encodeArgs(args, out) {
    out.push(args.hashes, encodeInt("expiresAt", args.expiresAt), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "foreign":
        expectFields(fields, 0);
        return { status: "foreign" };
      default:
        throw new UnexpectedReplyError("one of ok, foreign", reply);
    }
  },
  most: 128,
  merged: {
    name: "uniques.add (merged)",
    sha1: "b59ffaa4354394968a1ee3c646a99e207dfb89f8",
    lua: `-- uniques.add
local function run(keyAt, argAt)
  local window = KEYS[keyAt + 1]
  local hashes, expiresAt, ttlMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local HEAD = 'uniques1'
  local EXACT = 128
  local head = redis.call('GETRANGE', window, 0, #HEAD - 1)
  local isSketch = string.sub(head, 1, 4) == 'HYLL'
  if head ~= '' and head ~= HEAD and not isSketch then return {'foreign'} end
  local all, count = {}, 0
  local kept = HEAD
  if isSketch then
    for at = 1, #hashes, 8 do
      count = count + 1
      all[count] = string.sub(hashes, at, at + 7)
    end
  else
    kept = redis.call('GET', window) or HEAD
    local isNew = {}
    for at = 1, #hashes, 8 do
      local hash = string.sub(hashes, at, at + 7)
      local found = string.find(kept, hash, #HEAD + 1, true)
      while found and found % 8 ~= 1 do found = string.find(kept, hash, found + 1, true) end
      if not found and not isNew[hash] then
        isNew[hash] = true
        count = count + 1
        all[count] = hash
      end
    end
  end
  if isSketch then
    redis.call('PFADD', window, unpack(all))
  elseif (#kept - #HEAD) / 8 + count > EXACT then
    for at = #HEAD + 1, #kept, 8 do
      count = count + 1
      all[count] = string.sub(kept, at, at + 7)
    end
    redis.call('DEL', window)
    redis.call('PFADD', window, unpack(all))
    head = ''
  elseif count > 0 then
    redis.call('APPEND', window, (head == '' and HEAD or '') .. table.concat(all))
  end
  if ttlMs > 0 then
    redis.call('PEXPIRE', window, ttlMs)
  elseif head == '' then
    redis.call('PEXPIREAT', window, expiresAt)
  end
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};
