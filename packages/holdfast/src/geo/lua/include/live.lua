-- A member is in `places` with its position and in `ends` with when it is over, in milliseconds of the server's clock.
-- Only a member that is in both, and not over, is there. Needs the include `now`.

local MAX_ENDED_PER_CALL = 500

local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end

-- Removes what is over, once per call. False if that is more than one call should do: then there may still be some. A
-- server that refuses writes for now (disk, replicas) keeps what is over, `stale` of them: reads answer all the same.
local swept
local stale = 0

local function removeOver(places, ends, over)
  local gone = redis.pcall('ZREM', places, unpack(over))
  if type(gone) == 'number' then redis.call('ZREM', ends, unpack(over)) end
  return type(gone) == 'number'
end

local function sweep(places, ends)
  if swept ~= nil then return swept end
  -- Memory eviction takes whole keys. The one alone would be positions that are never over, the other members that are nowhere.
  if (redis.call('ZCARD', places) > 0) ~= (redis.call('ZCARD', ends) > 0) then
    if type(redis.pcall('UNLINK', places, ends)) ~= 'number' then stale = 1 end
  end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  swept = #over < MAX_ENDED_PER_CALL
  if #over > 0 and not removeOver(places, ends, over) then
    stale, swept = redis.call('ZCOUNT', ends, '-inf', now()), true
  end
  return swept
end
