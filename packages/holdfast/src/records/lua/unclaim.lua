--- Give a claim back, if it is still this one.
-- @class idempotent
-- @batch 128
-- @key claim
-- @arg stored text
-- @returns bool
return redis.call('GET', claim) == stored and redis.call('UNLINK', claim) == 1
