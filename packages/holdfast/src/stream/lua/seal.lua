--- Says how a stream is, to a reader that hears nothing; one whose producer has died is aborted by that, for all readers.
-- @class idempotent
-- @include now
-- @include log
-- @key state
-- @key log
-- @key meta
-- @key live          sharded channel
-- @arg takeoverMs int    how long another producer has time to go on
-- @arg blob bytes        the frame that says aborted
-- @arg ttlMs int
-- @arg liveBytes int
-- @result alive leftMs:int
-- @result over as:text head:int epoch:int
-- @result missing
local held = redis.call('HMGET', state, 'status', 'until')
local is = logState(log, meta, 'w')
if not held[1] then return {'missing'} end
if held[1] ~= 'open' then return {'over', held[1], is.head, is.epoch} end
local leftMs = tonumber(held[2]) + takeoverMs - now()
if leftMs > 0 then return {'alive', leftMs} end
appendPack(log, meta, live, is, 1, blob, 'w', is.head + 1, liveBytes)
redis.call('HSET', state, 'status', 'aborted')
redis.call('HDEL', state, 'token')
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'over', 'aborted', is.head, is.epoch}
