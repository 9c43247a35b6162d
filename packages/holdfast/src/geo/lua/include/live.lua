-- A member is in `places` with its position and in `ends` with when it is over, in milliseconds of the server's clock.
-- Only a member that is in both, and not over, is there. Needs the include `now`.

local MAX_ENDED_PER_CALL = 1000

local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end

-- Removes what is over. False when that is more than one call should do: then there may still be some.
local function sweep(places, ends)
  -- Memory eviction takes whole keys; positions without their ends would never be over.
  if redis.call('ZCARD', places) > 0 and redis.call('EXISTS', ends) == 0 then redis.call('UNLINK', places) end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  if #over > 0 then
    redis.call('ZREM', places, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
  return #over < MAX_ENDED_PER_CALL
end
