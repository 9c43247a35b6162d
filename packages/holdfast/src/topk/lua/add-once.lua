--- As add for one member, unless `receipt` shows that it was done.
-- @class dedupable
-- @batch 128
-- @include count
-- @key list
-- @key receipt
-- @arg counters int
-- @arg ttlMs int
-- @arg expiresAt int
-- @arg member text
-- @arg by int
-- @arg receiptTtlMs int
-- @result ok
if redis.call('EXISTS', receipt) == 1 then return {'ok'} end
count(list, member, by, counters)
expire(list, ttlMs, expiresAt)
redis.call('SET', receipt, '', 'PX', receiptTtlMs)
return {'ok'}
