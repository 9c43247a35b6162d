--- Leaves four zero bytes and its head in the place of an activity, for as long as it would have been kept: what arrives late does not bring it
--- back, and a deletion that failed half-way can be ended.
-- @class idempotent
-- @key item
-- @result ok
-- @result missing
local found = redis.call('GET', item)
local erased = string.char(0, 0, 0, 0)
if not found or string.sub(found, 1, 4) == erased then return {'missing'} end
local length = 0
for at = 1, 4 do length = length * 256 + (string.byte(found, at) or 0) end
redis.call('SET', item, erased .. string.sub(found, 1, 4 + length), 'KEEPTTL')
return {'ok'}
