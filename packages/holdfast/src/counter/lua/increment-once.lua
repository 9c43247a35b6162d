--- Adds to a counter unless `receipt` shows that it was done; then returns what the first time returned.
-- A refusal leaves no receipt: it changed nothing, so a repeat is decided again.
-- @class dedupable
-- @batch
-- @include add
-- @key counter
-- @key receipt
-- @arg by int
-- @arg min int
-- @arg max int
-- @arg ttlMs int
-- @arg renew bool
-- @arg receiptTtlMs int
-- @result ok value:int
-- @result limit value:int
local before = redis.call('GET', receipt)
if before then return {'ok', before} end
local result = add(counter, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
