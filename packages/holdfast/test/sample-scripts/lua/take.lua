--- Takes from a stock unless that would leave less than nothing.
-- @class unsafe
-- @batch
-- @include now
-- @key stock
-- @arg amount int
-- @arg ttlMs int
-- @result taken left:int at:int
-- @result short left:int
local left = tonumber(redis.call('GET', stock) or '0')
if left < amount then
  -- Nothing was changed.
  return {'short', left}
end
redis.call('SET', stock, left - amount, 'PX', ttlMs)
return {'taken', left - amount, now()}
