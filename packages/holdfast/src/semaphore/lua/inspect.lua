--- The limit, what is held and by whom, those first whose holds end first, and how many wait.
-- @class read
-- @include now
-- @include permits
-- @key permits
-- @key state
-- @key alive
-- @arg most int
-- @result semaphore limit:int? held:int waiters:int at:int holders:rows<hold:text,endsAt:float>
readState(permits, state)
local at = now()
local ended = countOfAll(redis.call('ZRANGE', permits, '(0', at, 'BYSCORE', 'LIMIT', 0, 1000))
local holders = redis.call('ZRANGE', permits, '(' .. at, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
local waiters = redis.call('ZCOUNT', alive, '(' .. at, '+inf')
return {'semaphore', stored >= 0 and stored, math.max(held - ended, 0), waiters, at, holders}
