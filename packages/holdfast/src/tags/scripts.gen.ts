// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeList, decodeOptional, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

const NOW = `local clockMicros
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
`;

const WHOLE = `local EXPIRING = '\\0'
local function isWhole(items, links, counts, expiry)
  local expiring = redis.call('ZCARD', expiry)
  local others = 0
  if redis.call('HLEN', items) > 0 then others = others + 1 end
  if redis.call('ZCARD', links) > 0 then others = others + 1 end
  if redis.call('HLEN', counts) > 0 then others = others + 1 end
  if others == 0 then return expiring == 0 end
  return others == 3 and expiring == tonumber(redis.call('HGET', counts, EXPIRING) or 0)
end
`;

const INDEX = `local MAX_PRUNED = 500
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
local function setExpiry(counts, expiry, item, endsAt)
  if redis.call('ZADD', expiry, endsAt, item) == 1 then redis.call('HINCRBY', counts, EXPIRING, 1) end
end
local function clearExpiry(counts, expiry, item)
  if redis.call('ZREM', expiry, item) == 0 then return end
  if redis.call('HINCRBY', counts, EXPIRING, -1) <= 0 then redis.call('HDEL', counts, EXPIRING) end
end
local checked = false
local function endUnlessWhole(items, links, counts, expiry)
  if checked then return end
  checked = true
  if not isWhole(items, links, counts, expiry) then redis.call('UNLINK', items, links, counts, expiry) end
end
local function drop(items, links, counts, expiry, item)
  local tags = split(redis.call('HGET', items, item) or '')
  for _, tag in ipairs(tags) do unlink(links, counts, tag, item) end
  redis.call('HDEL', items, item)
  clearExpiry(counts, expiry, item)
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
`;

const LIVE = `local function endedAmong(expiry, items)
  local ended = redis.call('ZMSCORE', expiry, unpack(items))
  for at, endsAt in ipairs(ended) do ended[at] = endsAt and tonumber(endsAt) <= now() end
  return ended
end
`;

const SEARCH = `local function isBefore(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function itemsAfter(links, tag, cursor, size)
  local range = redis.call('ZRANGE', links, '(' .. tag .. '\\0' .. cursor, '(' .. tag .. '\\1', 'BYLEX', 'LIMIT', 0, size)
  for at, member in ipairs(range) do range[at] = string.sub(member, #tag + 2) end
  return range
end
local function merge(pages, size)
  local merged, heads = {}, {}
  for i = 1, #pages do heads[i] = 1 end
  while true do
    local least
    for i, page in ipairs(pages) do
      local head = page[heads[i]]
      if not head and #page == size then return merged, true end
      if head and (not least or isBefore(head, least)) then least = head end
    end
    if not least then return merged, false end
    merged[#merged + 1] = least
    for i, page in ipairs(pages) do
      if page[heads[i]] == least then heads[i] = heads[i] + 1 end
    end
  end
end
local function withTags(links, items, tags, least, most)
  if #tags == 0 or #items == 0 then return items end
  local had, members, chosen = {}, {}, {}
  for _, tag in ipairs(tags) do
    for at, item in ipairs(items) do members[at] = tag .. '\\0' .. item end
    for at, score in ipairs(redis.call('ZMSCORE', links, unpack(members))) do
      had[at] = (had[at] or 0) + (score and 1 or 0)
    end
  end
  for at, item in ipairs(items) do
    if had[at] >= least and had[at] <= most then chosen[#chosen + 1] = item end
  end
  return chosen
end
`;

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
  /** 0: the item does not expire */
  readonly ttlMs: number;
  readonly maxItems: number;
  /** of one item */
  readonly maxTags: number;
}

export type ChangeResult =
  | { readonly status: "ok"; readonly packed: string }
  | { readonly status: "limit"; readonly limit: string };

/**
 * Changes the tags of an item: both directions, the counts and the time to live in one step.
 * Returns the tags that the item then has; `limit` changes nothing.
 */
export const change: BatchScript<ChangeKeys, ChangeArgs, ChangeResult> = {
  class: "idempotent",
  name: "tags.change",
  sha1: "3921b5dd33d0dc470022a5bfacd5130d8b6455e9",
  lua: `-- tags.change
${NOW}${WHOLE}${INDEX}local items, links, counts, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local item, how, packed, ttlMs, maxItems, maxTags = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
endUnlessWhole(items, links, counts, expiry)
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
if #added > 0 and #after > maxTags then return {'limit', 'tags'} end
if #added > 0 and #before == 0 and redis.call('HLEN', items) >= maxItems then return {'limit', 'items'} end
if #after == 0 then
  drop(items, links, counts, expiry, item)
else
  for _, tag in ipairs(removed) do unlink(links, counts, tag, item) end
  for _, tag in ipairs(added) do link(links, counts, tag, item) end
  redis.call('HSET', items, item, table.concat(after, '\\0'))
  if how ~= 'remove' then
    if ttlMs > 0 then setExpiry(counts, expiry, item, now() + ttlMs) else clearExpiry(counts, expiry, item) end
  end
end
expireKeys(items, links, counts, expiry)
return {'ok', table.concat(after, '\\0')}
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
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", packed: decodeText(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", limit: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "tags.change (merged)",
    sha1: "5c641fc91d34c2bd26e8ebd2b931730a74930952",
    lua: `-- tags.change
${NOW}${WHOLE}${INDEX}local function run(keyAt, argAt)
  local items, links, counts, expiry = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local item, how, packed, ttlMs, maxItems, maxTags = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6])
  endUnlessWhole(items, links, counts, expiry)
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
  if #added > 0 and #after > maxTags then return {'limit', 'tags'} end
  if #added > 0 and #before == 0 and redis.call('HLEN', items) >= maxItems then return {'limit', 'items'} end
  if #after == 0 then
    drop(items, links, counts, expiry, item)
  else
    for _, tag in ipairs(removed) do unlink(links, counts, tag, item) end
    for _, tag in ipairs(added) do link(links, counts, tag, item) end
    redis.call('HSET', items, item, table.concat(after, '\\0'))
    if how ~= 'remove' then
      if ttlMs > 0 then setExpiry(counts, expiry, item, now() + ttlMs) else clearExpiry(counts, expiry, item) end
    end
  end
  expireKeys(items, links, counts, expiry)
  return {'ok', table.concat(after, '\\0')}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 4 do
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

export interface CountKeys {
  readonly items: Arg;
  readonly links: Arg;
  readonly counts: Arg;
  readonly expiry: Arg;
}

export interface CountArgs {
  readonly tags: readonly Arg[];
}

export type CountResult = number[];

/** How many items have each of these tags. Expired items that no write has taken out yet are subtracted, up to a limit. */
export const count: Script<CountKeys, CountArgs, CountResult> = {
  class: "read",
  name: "tags.count",
  sha1: "72895814ca5b92d43b65c33af0bed844c81fa5d6",
  lua: `-- tags.count
${NOW}${WHOLE}local items, links, counts, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tags = ARGV
local MAX_CHECKS = 2000
local MAX_ENDED = 1000
local found = redis.call('HMGET', counts, unpack(tags))
if not isWhole(items, links, counts, expiry) then
  for at = 1, #tags do found[at] = 0 end
  return found
end
local limit = math.min(MAX_ENDED, math.floor(MAX_CHECKS / #tags))
local ended = redis.call('ZRANGE', expiry, '-inf', now(), 'BYSCORE', 'LIMIT', 0, limit)
for at, tag in ipairs(tags) do
  local count = tonumber(found[at]) or 0
  if count > 0 and #ended > 0 then
    local members = {}
    for i, item in ipairs(ended) do members[i] = tag .. '\\0' .. item end
    for _, score in ipairs(redis.call('ZMSCORE', links, unpack(members))) do
      if score then count = count - 1 end
    end
  end
  found[at] = count
end
return found
`,
  encodeKeys(keys, out) {
    out.push(keys.items, keys.links, keys.counts, keys.expiry);
  },
  encodeArgs(args, out) {
    for (const each of args.tags) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
};

export interface FindKeys {
  readonly items: Arg;
  readonly links: Arg;
  readonly counts: Arg;
  readonly expiry: Arg;
}

export interface FindArgs {
  /** an item's name; empty: from the first */
  readonly cursor: Arg;
  readonly limit: number;
  /** how many of the tags an item must all have */
  readonly required: number;
  /** how many tags follow of which an item must have one; the rest it must not have */
  readonly optional: number;
  readonly tags: readonly Arg[];
}

export type FindResult =
  | { readonly status: "page"; readonly items: string[]; readonly cursor: string | null };

/**
 * Items by their tags, in the order of their bytes, after `cursor`. One call looks at a bounded number of items; it
 * returns where to continue, or nil when it has seen them all.
 */
export const find: Script<FindKeys, FindArgs, FindResult> = {
  class: "read",
  name: "tags.find",
  sha1: "d3077dc2010a1258d516e1a712c0bd42e40c1d4e",
  lua: `-- tags.find
${NOW}${WHOLE}${LIVE}${SEARCH}local items, links, counts, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local cursor, limit, required, optional = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tags = {}
for i = 5, #ARGV do tags[i - 4] = ARGV[i] end
local MAX_CHECKS = 2000
local CHUNK, MIN_CHUNK = 128, 16
if not isWhole(items, links, counts, expiry) then return {'page', {}, false} end
local all, any, none = {}, {}, {}
for at, tag in ipairs(tags) do
  local list = at <= required and all or at <= required + optional and any or none
  list[#list + 1] = tag
end
local bases = any
if #all > 0 then
  local rarest, least
  for at, count in ipairs(redis.call('HMGET', counts, unpack(all))) do
    count = tonumber(count) or 0
    if not least or count < least then rarest, least = all[at], count end
  end
  bases = {rarest}
end
local size = math.max(MIN_CHUNK, math.floor(CHUNK / #bases))
local found, more, checks = {}, true, 0
while more and #found < limit and checks < MAX_CHECKS do
  local pages = {}
  for at, tag in ipairs(bases) do pages[at] = itemsAfter(links, tag, cursor, size) end
  local page
  page, more = merge(pages, size)
  checks = checks + (#page + 1) * (#tags + 1)
  local last = page[#page]
  cursor = last or cursor
  page = withTags(links, page, all, #all, #all)
  if #all > 0 then page = withTags(links, page, any, 1, #any) end
  page = withTags(links, page, none, 0, 0)
  local ended = #page > 0 and endedAmong(expiry, page) or {}
  for at, item in ipairs(page) do
    if not ended[at] then
      found[#found + 1] = item
      if #found == limit then
        more = more or item ~= last
        cursor = item
        break
      end
    end
  end
end
return {'page', found, more and cursor}
`,
  encodeKeys(keys, out) {
    out.push(keys.items, keys.links, keys.counts, keys.expiry);
  },
  encodeArgs(args, out) {
    out.push(args.cursor, encodeInt("limit", args.limit), encodeInt("required", args.required), encodeInt("optional", args.optional));
    for (const each of args.tags) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "page":
        expectFields(fields, 2);
        return { status: "page", items: decodeList(fields[1], decodeText), cursor: decodeOptional(fields[2], decodeText) };
      default:
        throw new UnexpectedReplyError("one of page", reply);
    }
  },
};

export interface OfKeys {
  readonly items: Arg;
  readonly links: Arg;
  readonly counts: Arg;
  readonly expiry: Arg;
}

export interface OfArgs {
  readonly wanted: readonly Arg[];
}

export type OfResult = (string | null)[];

/** The tags of items, separated by NUL; nil where there are none. */
export const of: Script<OfKeys, OfArgs, OfResult> = {
  class: "read",
  name: "tags.of",
  sha1: "7b8273b13daf534edd40e1abb9a1dd1bce80fe34",
  lua: `-- tags.of
${NOW}${WHOLE}${LIVE}local items, links, counts, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wanted = ARGV
local found = redis.call('HMGET', items, unpack(wanted))
if not isWhole(items, links, counts, expiry) then
  for at = 1, #wanted do found[at] = false end
  return found
end
for at, ended in ipairs(endedAmong(expiry, wanted)) do
  if ended then found[at] = false end
end
return found
`,
  encodeKeys(keys, out) {
    out.push(keys.items, keys.links, keys.counts, keys.expiry);
  },
  encodeArgs(args, out) {
    for (const each of args.wanted) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeText));
  },
};
