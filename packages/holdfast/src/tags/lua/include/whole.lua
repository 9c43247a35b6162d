-- Memory eviction takes whole keys. An index that lost one of its four is worth nothing: its items would be found and
-- could not be removed, or would never expire. `counts` therefore also has the number of items in `expiry`, under a name
-- that no tag has; the other three keys are there together or not at all.
local EXPIRING = '\0'

local function isWhole(items, links, counts, expiry)
  local expiring = redis.call('ZCARD', expiry)
  local others = 0
  if redis.call('HLEN', items) > 0 then others = others + 1 end
  if redis.call('ZCARD', links) > 0 then others = others + 1 end
  if redis.call('HLEN', counts) > 0 then others = others + 1 end
  if others == 0 then return expiring == 0 end
  return others == 3 and expiring == tonumber(redis.call('HGET', counts, EXPIRING) or 0)
end
