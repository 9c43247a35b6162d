// Generated from find.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeList, decodeOptional, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface FindKeys {
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
 * Items by their tags, in the order of their bytes, behind `cursor`. One call looks at a bounded number of items; it
 * answers where to go on, or nil when it has seen them all.
 */
export const find: Script<FindKeys, FindArgs, FindResult> = {
  class: "read",
  name: "tags.find",
  sha1: "fb227667fdc21c4e3f9d80574f96be37e478b512",
  lua: `-- tags.find
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
local function endedAmong(expiry, items)
  local ended = redis.call('ZMSCORE', expiry, unpack(items))
  for at, endsAt in ipairs(ended) do ended[at] = endsAt and tonumber(endsAt) <= now() end
  return ended
end
local function isBefore(a, b)
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
local links, counts, expiry = KEYS[1], KEYS[2], KEYS[3]
local cursor, limit, required, optional = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tags = {}
for i = 5, #ARGV do tags[i - 4] = ARGV[i] end
local MAX_CHECKS = 20000
local CHUNK, MIN_CHUNK = 256, 16
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
  local items
  items, more = merge(pages, size)
  checks = checks + (#items + 1) * (#tags + 1)
  local last = items[#items]
  cursor = last or cursor
  items = withTags(links, items, all, #all, #all)
  if #all > 0 then items = withTags(links, items, any, 1, #any) end
  items = withTags(links, items, none, 0, 0)
  local ended = #items > 0 and endedAmong(expiry, items) or {}
  for at, item in ipairs(items) do
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
    out.push(keys.links, keys.counts, keys.expiry);
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
