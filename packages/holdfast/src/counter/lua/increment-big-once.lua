--- Adds to a counter of 64 bits unless `receipt` shows that it was done; then returns what the first time returned.
-- @class dedupable
-- @batch
-- @include add-big
-- @key counter
-- @key receipt
-- @arg by bigint
-- @arg min bigint
-- @arg max bigint
-- @arg ttlMs int
-- @arg renew bool
-- @arg receiptTtlMs int
-- @result ok value:bigint
-- @result limit value:bigint
local before = redis.call('GET', receipt)
if before then return {'ok', before} end
local result = addBig(counter, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
