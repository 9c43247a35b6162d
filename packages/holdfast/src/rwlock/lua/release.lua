--- Give back a hold, and let in those whose turn it is.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include phases
-- @key holds
-- @key state
-- @key readers
-- @key writers
-- @key alive
-- @arg token text
-- @arg wakeChannel text
-- @result released
-- @result gone
local lock = open(holds, state, readers, writers, alive, wakeChannel)
if redis.call('ZREM', holds, token) == 0 then return {'gone'} end
local wasWriter = forget(lock, token)
admit(lock, purge(lock) or wasWriter)
return {'released'}
