--- Who holds the lock, and how many wait for it.
-- @class read
-- @include now
-- @key lock
-- @key alive
-- @result free
-- @result held owner:text fence:int ttlMs:int waiters:int
local state = redis.call('HMGET', lock, 'owner', 'fence')
if not state[1] then return {'free'} end
local waiters = redis.call('ZCOUNT', alive, now(), '+inf')
return {'held', state[1], tonumber(state[2]), redis.call('PTTL', lock), waiters}
