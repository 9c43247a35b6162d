--- As increment-shard, unless `receipt` shows that it was done.
-- @class dedupable
-- @batch
-- @include add
-- @key counter
-- @key receipt
-- @arg by int
-- @arg ttlMs int
-- @arg receiptTtlMs int
-- @result ok leftMs:int
-- @result limit
local leftMs = redis.call('PTTL', counter)
if redis.call('EXISTS', receipt) == 1 then return {'ok', leftMs} end
if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
redis.call('SET', receipt, 1, 'PX', receiptTtlMs)
return {'ok', leftMs}
