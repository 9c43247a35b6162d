--- Keep the right to load while the load runs. Never creates it: a delete in between has removed it.
-- @class idempotent
-- @batch 64
-- @key lease
-- @arg token text
-- @arg leaseMs int
-- @result extended
-- @result superseded
if redis.call('HGET', lease, 'token') ~= token then return {'superseded'} end
redis.call('PEXPIRE', lease, leaseMs)
return {'extended'}
