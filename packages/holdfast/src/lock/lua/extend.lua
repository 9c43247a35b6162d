--- Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one.
-- @class idempotent
-- @include now
-- @include wait-queue
-- @include hold
-- @key lock
-- @key fence
-- @key holds
-- @arg owner text
-- @arg token text
-- @arg ttlMs int
-- @result extended
-- @result expired
-- @result stolen
local me = owner == '' and token or '=' .. owner
local holder = readLock(lock)
if holder and holder ~= me then return 'stolen' end
if not holder or (owner ~= '' and redis.call('HEXISTS', holds, token) == 0) then return 'expired' end
keepFor({ lock = lock, fence = fence, holds = holds }, token, ttlMs)
return 'extended'
