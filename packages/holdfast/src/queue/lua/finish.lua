--- Acknowledge one job that is done and keep its result for those who wait for it.
-- @class unsafe
-- @include forget
-- @key active
-- @key jobs
-- @key meta
-- @key crashes
-- @key unique
-- @key result
-- @arg id text
-- @arg fence int
-- @arg uniqueKey text  or empty
-- @arg outcome bytes
-- @arg keepMs int
-- @arg channel text
-- @result ok
-- @result stale
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
redis.call('ZREM', active, id)
forget(jobs, meta, crashes, {id})
freeUnique(unique, uniqueKey, id)
redis.call('SET', result, outcome, 'PX', keepMs)
redis.call('PUBLISH', channel, result)
return 'ok'
