--- Takes publications that did not end, for a time: another process gets others, and these again if this one dies.
-- @class idempotent
-- @include now
-- @key unfinished  sorted set: activity ids by the time (ms) at which somebody else may go on with them
-- @arg most int
-- @arg leaseMs int
-- @returns list<text>
local due = redis.call('ZRANGEBYSCORE', unfinished, '-inf', now(), 'LIMIT', 0, most)
for _, id in ipairs(due) do redis.call('ZADD', unfinished, now() + leaseMs, id) end
return due
