--- Takes entries out of an inbox. From then on it is not full, so its mark says down to where it is complete.
-- @class idempotent
-- @key inbox
-- @arg size int
-- @arg ids... bytes
-- @result ok
local mark = redis.call('ZRANGE', inbox, -1, -1)[1]
if not mark or string.sub(mark, 1, 1) ~= '!' then return {'ok'} end
local floor = tonumber(string.sub(mark, 2))
local before = floor
if floor and redis.call('ZCARD', inbox) > size then
  floor = math.max(floor, tonumber(redis.call('ZRANGE', inbox, 0, 0, 'WITHSCORES')[2]))
end
redis.call('ZREM', inbox, unpack(ids))
if floor ~= before then
  redis.call('ZADD', inbox, '+inf', '!' .. string.format('%.0f', floor))
  redis.call('ZREM', inbox, mark)
end
return {'ok'}
