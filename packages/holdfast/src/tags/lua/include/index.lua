-- A tag index is four keys, so that no key is made of what a user chose and the whole can be dropped at once:
--   items   hash: item -> its tags, separated by NUL
--   links   sorted set, all scores 0: tag NUL item, so the items of a tag are a range in the order of their bytes
--   counts  hash: tag -> number of its items; and that of the items in `expiry` (see the include `whole`)
--   expiry  sorted set: item -> server milliseconds at which it expires; only items that do
-- A tag has no NUL; an item may. Needs the includes `now` and `whole`.

-- Links that one call removes with expired items, whatever number of changes it makes.
local MAX_PRUNED = 500
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
  return tag .. '\0' .. item
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

-- Ends an index that is not whole; asked once per call.
local checked = false
local function endUnlessWhole(items, links, counts, expiry)
  if checked then return end
  checked = true
  if not isWhole(items, links, counts, expiry) then redis.call('UNLINK', items, links, counts, expiry) end
end

-- Removes the item everywhere; returns the number of its tags.
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

-- While every item has an expiry, the keys expire with the last of them.
local function expireKeys(items, links, counts, expiry)
  local last = redis.call('ZRANGE', expiry, -1, -1, 'WITHSCORES')[2]
  local allEnd = last and redis.call('ZCARD', expiry) == redis.call('HLEN', items)
  if not allEnd and redis.call('PTTL', items) < 0 then return end
  for _, key in ipairs({items, links, counts, expiry}) do
    if allEnd then redis.call('PEXPIREAT', key, last) else redis.call('PERSIST', key) end
  end
end
