--- Makes the caller the producer of a stream that has none, or whose producer has not renewed in time.
-- The same token gets the same answer again. What is over stays over. The first one gives the log its epoch.
-- @class dedupable
-- @include now
-- @include log
-- @key state
-- @key log
-- @key meta
-- @arg token text
-- @arg leaseMs int
-- @arg ttlMs int
-- @result ok fence:int epoch:int head:int
-- @result busy leftMs:int
-- @result over as:text
local held = redis.call('HMGET', state, 'status', 'token', 'fence', 'until')
local status, holder, fence, untilMs = unpack(held)
if status and status ~= 'open' then return {'over', status} end
local leftMs = (tonumber(untilMs) or 0) - now()
if status and holder ~= token and leftMs > 0 then return {'busy', leftMs} end
-- Of a stream whose state is gone nothing is to be gone on with.
if not status then redis.call('DEL', log, meta) end
if not status or holder ~= token then fence = string.format('%.0f', math.max((tonumber(fence) or 0) + 1, nowMicros())) end
local is = logState(log, meta, 'w')
redis.call('HSET', state, 'status', 'open', 'token', token, 'fence', fence, 'until', now() + leaseMs)
redis.call('HSETNX', state, 'bytes', 0)
redis.call('HSET', meta, 'head', is.head, 'epoch', is.epoch, 'at', is.at, 'first', is.first, 'trimmed', is.trimmed)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'ok', fence, is.epoch, is.head}
