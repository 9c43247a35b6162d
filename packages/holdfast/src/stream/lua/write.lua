--- Appends what the producer wrote, and its end. A repetition changes nothing and is answered like the first time; so is a late copy.
-- `full`: it would be more than `maxBytes`, and nothing was appended; an end always fits. XADD is the first write.
-- @class dedupable
-- @include now
-- @include log
-- @key state
-- @key log
-- @key meta
-- @key live          sharded channel
-- @arg token text
-- @arg epoch int
-- @arg first int     offset of the first
-- @arg count int
-- @arg blob bytes
-- @arg status text   of the stream from then on: open, end, aborted
-- @arg maxBytes int
-- @arg ttlMs int
-- @arg liveBytes int
-- @result ok at:int
-- @result full
-- @result stale
local held = redis.call('HMGET', state, 'status', 'token', 'bytes')
if held[2] ~= token then return {'stale'} end
local is = logState(log, meta, 'w')
if is.epoch ~= epoch then return {'stale'} end
if is.head >= first + count - 1 then return {'ok', tonumber(string.match(is.record or '', '%d+$') or is.at)} end
if held[1] ~= 'open' or is.head ~= first - 1 then return {'stale'} end
local bytes = tonumber(held[3]) + #blob
if status == 'open' and bytes > maxBytes then return {'full'} end
local _, at = appendPack(log, meta, live, is, count, blob, 'w', first, liveBytes)
redis.call('HSET', state, 'status', status, 'bytes', bytes)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'ok', at}
