-- Walking the items of tags in the order of their bytes. A walk continues after an item's name, so it needs no state:
-- an item that matches all the time is met exactly once, whatever else changes meanwhile.

-- By bytes, as sorted sets are; Lua's own `<` follows the server's locale.
local function isBefore(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local function itemsAfter(links, tag, cursor, size)
  local range = redis.call('ZRANGE', links, '(' .. tag .. '\0' .. cursor, '(' .. tag .. '\1', 'BYLEX', 'LIMIT', 0, size)
  for at, member in ipairs(range) do range[at] = string.sub(member, #tag + 2) end
  return range
end

-- Merges sorted pages into one without duplicates. It ends where a full page ends: what follows there is not known.
-- The second result: whether there may be more.
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

-- Those of `items` that have at least `least` and at most `most` of `tags`.
local function withTags(links, items, tags, least, most)
  if #tags == 0 or #items == 0 then return items end
  local had, members, chosen = {}, {}, {}
  for _, tag in ipairs(tags) do
    for at, item in ipairs(items) do members[at] = tag .. '\0' .. item end
    for at, score in ipairs(redis.call('ZMSCORE', links, unpack(members))) do
      had[at] = (had[at] or 0) + (score and 1 or 0)
    end
  end
  for at, item in ipairs(items) do
    if had[at] >= least and had[at] <= most then chosen[#chosen + 1] = item end
  end
  return chosen
end
