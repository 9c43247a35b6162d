// Generated from change.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface ChangeKeys {
  readonly items: Arg;
  readonly links: Arg;
  readonly counts: Arg;
  readonly expiry: Arg;
}

export interface ChangeArgs {
  readonly item: Arg;
  /** add, set or remove */
  readonly how: string;
  /** tags, separated by NUL */
  readonly packed: Arg;
  /** 0: the item does not end */
  readonly ttlMs: number;
  readonly maxItems: number;
  /** of one item */
  readonly maxTags: number;
}

export type ChangeResult =
  | { readonly status: "tagged"; readonly packed: string }
  | { readonly status: "full"; readonly limit: string };

/**
 * Change the tags of an item: both directions, the counts and the time to live in one step.
 * Answers the tags that the item then has; `full` changes nothing.
 */
export const change: BatchScript<ChangeKeys, ChangeArgs, ChangeResult> = {
  class: "idempotent",
  name: "tags.change",
  sha1: "9365acfc1e09339477e166bd02aff26ceb2fa8e3",
  lua: `-- tags.change
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
local MAX_PRUNED = 1000
local pruned = 0
local function split(packed)
  local tags = {}
  for tag in string.gmatch(packed, '[^%z]+') do tags[#tags + 1] = tag end
  return tags
end
local function setOf(tags)
  local set = {}
  for _, tag in ipairs(tags) do set[tag] = true end
  return set
end
local function linkOf(tag, item)
  return tag .. '\\0' .. item
end
local function link(links, counts, tag, item)
  redis.call('ZADD', links, 0, linkOf(tag, item))
  redis.call('HINCRBY', counts, tag, 1)
end
local function unlink(links, counts, tag, item)
  redis.call('ZREM', links, linkOf(tag, item))
  if redis.call('HINCRBY', counts, tag, -1) <= 0 then redis.call('HDEL', counts, tag) end
end
local function drop(items, links, counts, expiry, item)
  local tags = split(redis.call('HGET', items, item) or '')
  for _, tag in ipairs(tags) do unlink(links, counts, tag, item) end
  redis.call('HDEL', items, item)
  redis.call('ZREM', expiry, item)
  return #tags
end
local function prune(items, links, counts, expiry)
  while pruned < MAX_PRUNED do
    local ended = redis.call('ZRANGE', expiry, '-inf', now(), 'BYSCORE', 'LIMIT', 0, 1)[1]
    if not ended then return end
    pruned = pruned + drop(items, links, counts, expiry, ended)
  end
end
local function expireKeys(items, links, counts, expiry)
  local last = redis.call('ZRANGE', expiry, -1, -1, 'WITHSCORES')[2]
  local allEnd = last and redis.call('ZCARD', expiry) == redis.call('HLEN', items)
  if not allEnd and redis.call('PTTL', items) < 0 then return end
  for _, key in ipairs({items, links, counts, expiry}) do
    if allEnd then redis.call('PEXPIREAT', key, last) else redis.call('PERSIST', key) end
  end
end
local items, links, counts, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local item, how, packed, ttlMs, maxItems, maxTags = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
prune(items, links, counts, expiry)
local endsAt = redis.call('ZSCORE', expiry, item)
if endsAt and tonumber(endsAt) <= now() then drop(items, links, counts, expiry, item) end
local before, given = split(redis.call('HGET', items, item) or ''), split(packed)
local had, named = setOf(before), setOf(given)
local after, added, removed = {}, {}, {}
for _, tag in ipairs(before) do
  local stays = how == 'add' or (how == 'set') == (named[tag] == true)
  local list = stays and after or removed
  list[#list + 1] = tag
end
if how ~= 'remove' then
  for _, tag in ipairs(given) do
    if not had[tag] then
      after[#after + 1] = tag
      added[#added + 1] = tag
    end
  end
end
if #added > 0 and #after > maxTags then return {'full', 'tags'} end
if #added > 0 and #before == 0 and redis.call('HLEN', items) >= maxItems then return {'full', 'items'} end
if #after == 0 then
  drop(items, links, counts, expiry, item)
else
  for _, tag in ipairs(removed) do unlink(links, counts, tag, item) end
  for _, tag in ipairs(added) do link(links, counts, tag, item) end
  redis.call('HSET', items, item, table.concat(after, '\\0'))
  if how ~= 'remove' then
    if ttlMs > 0 then redis.call('ZADD', expiry, now() + ttlMs, item) else redis.call('ZREM', expiry, item) end
  end
end
expireKeys(items, links, counts, expiry)
return {'tagged', table.concat(after, '\\0')}
`,
  encodeKeys(keys, out) {
    out.push(keys.items, keys.links, keys.counts, keys.expiry);
  },
  encodeArgs(args, out) {
    out.push(args.item, args.how, args.packed, encodeInt("ttlMs", args.ttlMs), encodeInt("maxItems", args.maxItems), encodeInt("maxTags", args.maxTags));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "tagged":
        expectFields(fields, 1);
        return { status: "tagged", packed: decodeText(fields[1]) };
      case "full":
        expectFields(fields, 1);
        return { status: "full", limit: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of tagged, full", reply);
    }
  },
  merged: {
    name: "tags.change (merged)",
    sha1: "d3951c38ccb20b18cbf61df0bf2cdd278084fa3c",
    lua: `-- tags.change
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
local MAX_PRUNED = 1000
local pruned = 0
local function split(packed)
  local tags = {}
  for tag in string.gmatch(packed, '[^%z]+') do tags[#tags + 1] = tag end
  return tags
end
local function setOf(tags)
  local set = {}
  for _, tag in ipairs(tags) do set[tag] = true end
  return set
end
local function linkOf(tag, item)
  return tag .. '\\0' .. item
end
local function link(links, counts, tag, item)
  redis.call('ZADD', links, 0, linkOf(tag, item))
  redis.call('HINCRBY', counts, tag, 1)
end
local function unlink(links, counts, tag, item)
  redis.call('ZREM', links, linkOf(tag, item))
  if redis.call('HINCRBY', counts, tag, -1) <= 0 then redis.call('HDEL', counts, tag) end
end
local function drop(items, links, counts, expiry, item)
  local tags = split(redis.call('HGET', items, item) or '')
  for _, tag in ipairs(tags) do unlink(links, counts, tag, item) end
  redis.call('HDEL', items, item)
  redis.call('ZREM', expiry, item)
  return #tags
end
local function prune(items, links, counts, expiry)
  while pruned < MAX_PRUNED do
    local ended = redis.call('ZRANGE', expiry, '-inf', now(), 'BYSCORE', 'LIMIT', 0, 1)[1]
    if not ended then return end
    pruned = pruned + drop(items, links, counts, expiry, ended)
  end
end
local function expireKeys(items, links, counts, expiry)
  local last = redis.call('ZRANGE', expiry, -1, -1, 'WITHSCORES')[2]
  local allEnd = last and redis.call('ZCARD', expiry) == redis.call('HLEN', items)
  if not allEnd and redis.call('PTTL', items) < 0 then return end
  for _, key in ipairs({items, links, counts, expiry}) do
    if allEnd then redis.call('PEXPIREAT', key, last) else redis.call('PERSIST', key) end
  end
end
local function run(keyAt, argAt)
  local items, links, counts, expiry = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local item, how, packed, ttlMs, maxItems, maxTags = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6])
  prune(items, links, counts, expiry)
  local endsAt = redis.call('ZSCORE', expiry, item)
  if endsAt and tonumber(endsAt) <= now() then drop(items, links, counts, expiry, item) end
  local before, given = split(redis.call('HGET', items, item) or ''), split(packed)
  local had, named = setOf(before), setOf(given)
  local after, added, removed = {}, {}, {}
  for _, tag in ipairs(before) do
    local stays = how == 'add' or (how == 'set') == (named[tag] == true)
    local list = stays and after or removed
    list[#list + 1] = tag
  end
  if how ~= 'remove' then
    for _, tag in ipairs(given) do
      if not had[tag] then
        after[#after + 1] = tag
        added[#added + 1] = tag
      end
    end
  end
  if #added > 0 and #after > maxTags then return {'full', 'tags'} end
  if #added > 0 and #before == 0 and redis.call('HLEN', items) >= maxItems then return {'full', 'items'} end
  if #after == 0 then
    drop(items, links, counts, expiry, item)
  else
    for _, tag in ipairs(removed) do unlink(links, counts, tag, item) end
    for _, tag in ipairs(added) do link(links, counts, tag, item) end
    redis.call('HSET', items, item, table.concat(after, '\\0'))
    if how ~= 'remove' then
      if ttlMs > 0 then redis.call('ZADD', expiry, now() + ttlMs, item) else redis.call('ZREM', expiry, item) end
    end
  end
  expireKeys(items, links, counts, expiry)
  return {'tagged', table.concat(after, '\\0')}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 4 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 6
end
return outcomes
`,
  },
};
