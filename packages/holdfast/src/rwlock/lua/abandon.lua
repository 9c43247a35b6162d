--- End a request that waits no longer or whose fate is unknown.
-- @class idempotent
-- @include now
-- @include wait-queue
-- @include phases
-- @key holds
-- @key state
-- @key readers
-- @key writers
-- @key alive
-- @arg token text
-- @arg mode text
-- @arg wakeChannel text
-- @result done
local lock = open(holds, state, readers, writers, alive, wakeChannel)
leave(lock, token .. ':' .. mode)
local wasWriter = redis.call('ZREM', holds, token) == 1 and forget(lock, token)
admit(lock, purge(lock) or wasWriter)
return {'done'}
