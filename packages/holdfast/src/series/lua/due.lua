--- Takes periods that are to be sealed, for a time: another process gets others, and these again if this one dies.
-- @class idempotent
-- @include now
-- @key unsealed
-- @arg most int
-- @arg leaseMs int
-- @returns list<text>
local due = redis.call('ZRANGEBYSCORE', unsealed, '-inf', now(), 'LIMIT', 0, most)
-- With a fraction, which no other time has: so it is seen whether the period was registered again meanwhile.
for _, member in ipairs(due) do redis.call('ZADD', unsealed, now() + leaseMs + 0.5, member) end
return due
