--- Who holds the lock, and how many wait for it.
-- @class read
-- @include now
-- @include wait-queue
-- @include hold
-- @key lock
-- @key alive
-- @result free
-- @result held owner:text fence:int ttlMs:int waiters:int ageMs:int
local holder, number = readLock(lock)
if not holder then return {'free'} end
local owner = string.gsub(holder, '^=', '')
-- A fence is the time at which it was granted, unless the clock was set back.
local ageMs = math.max(now() - math.floor(number / 1000), 0)
return {'held', owner, tonumber(number), redis.call('PTTL', lock), redis.call('ZCOUNT', alive, now(), '+inf'), ageMs}
