--- Items by their tags, in the order of their bytes, after `cursor`. One call looks at a bounded number of items; it
-- returns where to continue, or nil when it has seen them all.
-- @class read
-- @include now
-- @include whole
-- @include live
-- @include search
-- @key items
-- @key links
-- @key counts
-- @key expiry
-- @arg cursor bytes     an item's name; empty: from the first
-- @arg limit int
-- @arg required int     how many of the tags an item must all have
-- @arg optional int     how many tags follow of which an item must have one; the rest it must not have
-- @arg tags... bytes
-- @result page items:list<text> cursor:text?
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
