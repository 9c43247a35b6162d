--- A period was sealed: it is to be sealed no more, unless it was registered again.
-- @class idempotent
-- @key unsealed
-- @arg member text
-- @result ok
local score = redis.call('ZSCORE', unsealed, member)
if score and tonumber(score) % 1 ~= 0 then redis.call('ZREM', unsealed, member) end
return {'ok'}
