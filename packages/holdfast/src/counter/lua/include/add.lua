-- A double holds each whole number up to this one.
local MAX_VALUE = 9007199254740991

local function valueOf(stored)
  local value = tonumber(stored)
  if not value or value % 1 ~= 0 then error({err = 'WRONGTYPE the key holds no whole number'}) end
  if math.abs(value) > MAX_VALUE then error({err = 'ERR the counter is beyond 2^53 - 1'}) end
  return value
end

-- A client that reads digits by adding the next one's character code before it takes off that of '0' rounds the last
-- whole numbers below 2^53 (node-redis 6 does), so these go as text.
local function replyOf(value)
  if math.abs(value) < MAX_VALUE - 64 then return value end
  return string.format('%.0f', value)
end

-- The time to live begins with the first increment, or with each one when `renew` is set.
local function add(counter, by, min, max, ttlMs, renew)
  local stored = redis.call('GET', counter)
  local value = stored and valueOf(stored) or 0
  local sum = value + by
  if sum < min or sum > max then return {'limit', replyOf(value)} end
  if stored and not renew then redis.call('INCRBY', counter, by)
  else redis.call('SET', counter, sum, 'PX', ttlMs) end
  return {'ok', replyOf(sum)}
end
