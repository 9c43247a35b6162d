--- Changes the tags of an item: both directions, the counts and the time to live in one step.
-- Returns the tags that the item then has; `limit` changes nothing.
-- @class idempotent
-- @batch
-- @include now
-- @include whole
-- @include index
-- @key items
-- @key links
-- @key counts
-- @key expiry
-- @arg item bytes
-- @arg how text         add, set or remove
-- @arg packed bytes     tags, separated by NUL
-- @arg ttlMs int        0: the item does not expire
-- @arg maxItems int
-- @arg maxTags int      of one item
-- @result ok packed:text
-- @result limit limit:text
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
  redis.call('HSET', items, item, table.concat(after, '\0'))
  if how ~= 'remove' then
    if ttlMs > 0 then setExpiry(counts, expiry, item, now() + ttlMs) else clearExpiry(counts, expiry, item) end
  end
end
expireKeys(items, links, counts, expiry)
return {'ok', table.concat(after, '\0')}
