--- Leaves an empty value in the place of an activity, for as long as it would have been kept: what arrives late does not bring it back.
-- @class idempotent
-- @key item
-- @result ok
-- @result missing
local found = redis.call('GET', item)
if not found or found == '' then return {'missing'} end
redis.call('SET', item, '', 'KEEPTTL')
return {'ok'}
