--- Makes a series and one of its periods known: the series to those who search, the period to those who seal.
-- @class idempotent
-- @include now
-- @key ids       sorted set: the series by the time (ms) at which the last of it expires
-- @key labels    hash: their labels
-- @key unsealed  sorted set: `<period>:<series>` by the time (ms) at which it is to be sealed
-- @arg id text
-- @arg period int
-- @arg expiresAt int
-- @arg sealAt int
-- @arg lateMs int      at the soonest so long from now
-- @arg maxSeries int
-- @arg described text   the labels; empty: as they are
-- @result ok
-- @result limit
local PRUNED = 64
local gone = redis.call('ZRANGEBYSCORE', ids, '-inf', now(), 'LIMIT', 0, PRUNED)
if #gone > 0 then
  redis.call('ZREM', ids, unpack(gone))
  redis.call('HDEL', labels, unpack(gone))
end
if not redis.call('ZSCORE', ids, id) and redis.call('ZCARD', ids) >= maxSeries then return {'limit'} end
redis.call('ZADD', ids, 'GT', expiresAt, id)
if described ~= '' then redis.call('HSET', labels, id, described) end
-- One that waits to be sealed goes on waiting, so that late points cannot put it off for ever; one that is being sealed has a fraction.
local member = period .. ':' .. id
local waiting = redis.call('ZSCORE', unsealed, member)
if not waiting or tonumber(waiting) % 1 ~= 0 then redis.call('ZADD', unsealed, math.max(sealAt, now() + lateMs), member) end
local last = redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2]
for _, key in ipairs({ids, labels, unsealed}) do redis.call('PEXPIREAT', key, last) end
return {'ok'}
