--- Adds to one of the keys of a counter; returns how long that one had left (ms, -2 if it was not there), so that the caller keeps the others too.
-- @class unsafe
-- @batch
-- @include add
-- @key counter
-- @arg by int
-- @arg ttlMs int
-- @result ok leftMs:int
-- @result limit
local leftMs = redis.call('PTTL', counter)
if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
return {'ok', leftMs}
