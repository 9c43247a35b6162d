--- As increment-rings, unless `receipt` shows that it was done; then returns what the first time returned.
-- @class dedupable
-- @batch
-- @include now
-- @include add
-- @include rings
-- @key counter
-- @key minutes    hash: sums by period
-- @key hours
-- @key days
-- @key receipt
-- @arg keepMinutes int   periods that are kept, with the present one; 0: none
-- @arg keepHours int
-- @arg keepDays int
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
local result = addInRings(counter, {minutes, hours, days}, {keepMinutes, keepHours, keepDays}, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
