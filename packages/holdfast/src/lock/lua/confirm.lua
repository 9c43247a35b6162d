--- Writes to a hold what is there already: whoever has this write has the grant and the renewals before it.
-- @class idempotent
-- @include now
-- @include wait-queue
-- @include hold
-- @key lock
-- @key holds
-- @arg owner text
-- @arg token text
-- @result ok
-- @result lost
local holder, _, longestMs = readLock(lock)
local isShared = owner ~= ''
if holder ~= (isShared and '=' .. owner or token) then return 'lost' end
if isShared and redis.call('HEXISTS', holds, token) == 0 then return 'lost' end
redis.call('PEXPIRE', lock, boundedTtl(lock, longestMs))
return 'ok'
