--- How many items have each of these tags. Expired items that no write has taken out yet are subtracted, up to a limit.
-- @class read
-- @include now
-- @include whole
-- @key items
-- @key links
-- @key counts
-- @key expiry
-- @arg tags... bytes
-- @returns list<int>
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
    for i, item in ipairs(ended) do members[i] = tag .. '\0' .. item end
    for _, score in ipairs(redis.call('ZMSCORE', links, unpack(members))) do
      if score then count = count - 1 end
    end
  end
  found[at] = count
end
return found
