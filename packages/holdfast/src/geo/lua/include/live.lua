-- A member is in `places` with its position and in `ends` with when it is over, in milliseconds of the server's clock; what is stored beside
-- it is in `fields`. Only a member that is in the first two, and not over, is there. The member '' of `places`, before every position, says
-- that there are fields. Needs the include `now`.

local MAX_ENDED_PER_CALL = 500
local MARK = ''
local BEFORE_THE_MAP = -1

local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end

-- Memory eviction takes whole keys. One alone would be positions that are never over, members that are nowhere, or members that have lost
-- what is stored with them.
local function isWhole(places, ends, fields)
  if (redis.call('ZCARD', places) > 0) ~= (redis.call('ZCARD', ends) > 0) then return false end
  return (redis.call('ZSCORE', places, MARK) and 1 or 0) == redis.call('EXISTS', fields)
end

-- Removes members everywhere; false from a server that refuses writes for now.
local function drop(places, ends, fields, members)
  local gone = redis.pcall('ZREM', places, unpack(members))
  if type(gone) ~= 'number' then return false end
  redis.call('ZREM', ends, unpack(members))
  redis.call('HDEL', fields, unpack(members))
  if redis.call('ZCARD', ends) == 0 then redis.call('UNLINK', places, fields) end
  return true
end

-- Removes what is over, once per call. False if that is more than one call should do: then there may still be some. A
-- server that refuses writes for now (disk, replicas) keeps what is over (`isStale`) or no longer whole (`isBroken`): reads answer all the same.
local swept
local isStale, isBroken = false, false

local function sweep(places, ends, fields)
  if swept ~= nil then return swept end
  if not isWhole(places, ends, fields) then
    if type(redis.pcall('UNLINK', places, ends, fields)) ~= 'number' then isBroken = true end
  end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  swept = #over < MAX_ENDED_PER_CALL
  if #over > 0 and not drop(places, ends, fields, over) then isStale, swept = true, true end
  return swept
end
