--- Keeps the best of a period that is over, once, and lets whoever waits for it know. `early`: it is not over by the server's clock.
-- @class idempotent
-- @include now
-- @key board      of the period
-- @key archive    sorted set: the best of it
-- @key counted    string: how many there were
-- @key closed     sorted set: periods that were closed, by the time (ms) from which on neither they nor their archives are there
-- @key due        sorted set: those of which nobody has been told yet, by the time (ms) from which on somebody is to be
-- @arg id text
-- @arg to int         the end of the period, ms
-- @arg desc bool
-- @arg top int
-- @arg keepMs int
-- @result ok
-- @result empty
-- @result early
local MAX_DUE = 1000
if now() < to then return {'early'} end
local isKept = redis.call('EXISTS', archive) == 1
local isClosed = redis.call('ZSCORE', closed, id) ~= false
if isKept then return {'ok'} end
local total = redis.call('ZCARD', board)
if total == 0 then return {isClosed and 'ok' or 'empty'} end
local expiresAt = now() + keepMs
if desc then redis.call('ZRANGESTORE', archive, board, 0, top - 1, 'REV') else redis.call('ZRANGESTORE', archive, board, 0, top - 1) end
redis.call('PEXPIREAT', archive, expiresAt)
redis.call('SET', counted, total, 'PXAT', expiresAt)
-- The archive was evicted: it is kept again, and nobody is told a second time.
if isClosed then return {'ok'} end
redis.call('ZREMRANGEBYSCORE', closed, '-inf', now() - 1)
-- While the period is there it could be closed once more.
redis.call('ZADD', closed, math.max(expiresAt, redis.call('PEXPIRETIME', board)), id)
redis.call('ZADD', due, now(), id)
redis.call('ZREMRANGEBYRANK', due, 0, -1 - MAX_DUE)
redis.call('PEXPIREAT', closed, tonumber(redis.call('ZREVRANGE', closed, 0, 0, 'WITHSCORES')[2]))
redis.call('PEXPIREAT', due, expiresAt)
return {'ok'}
