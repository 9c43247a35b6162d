--- Write down a part of a large plan, before the step that makes it count; what never counts expires. A part that is there already is left as it is.
-- @class idempotent
-- @key plan
-- @key staged
-- @arg ttlMs int
-- @arg before int       how many jobs were written down before
-- @arg count int        how many of these are
-- @arg parts... bytes   jobs; then references and names (with their `?`) of those that are waited for, alternating
-- @result ok
-- @result lost
local written = redis.call('LLEN', plan)
if written < before then return 'lost' end
if written == before and count > 0 then redis.call('RPUSH', plan, unpack(parts, 1, count)) end
if #parts > count then redis.call('HSET', staged, unpack(parts, count + 1, #parts)) end
redis.call('PEXPIRE', plan, ttlMs)
redis.call('PEXPIRE', staged, ttlMs)
return 'ok'
