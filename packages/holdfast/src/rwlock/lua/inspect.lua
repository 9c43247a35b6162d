--- Who holds the lock, and how many wait for it.
-- @class read
-- @include now
-- @key holds
-- @key state
-- @key readers
-- @key writers
-- @result lock writing:bool upgradable:bool holders:int fence:int ttlMs:int waitingReaders:int waitingWriters:int
local at = now()
local known = redis.call('HMGET', state, 'writer', 'upgradable', 'fence')
local last = redis.call('ZRANGE', holds, -1, -1, 'WITHSCORES')
local function isLive(token)
  return (token and tonumber(redis.call('ZSCORE', holds, token) or 0) or 0) > at
end
return {
  'lock',
  isLive(known[1]),
  isLive(known[2]),
  redis.call('ZCOUNT', holds, '(' .. at, '+inf'),
  tonumber(known[3] or 0),
  math.max((last[2] or 0) - at, 0),
  redis.call('ZCARD', readers),
  redis.call('ZCARD', writers),
}
