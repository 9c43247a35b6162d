--- Let a pending session live, which the sign-in that it was made for has won, and evict down to the user's limit.
-- A repeat finds that it is pending no longer, and does not bring it back if it has ended meanwhile.
-- @class dedupable
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg limit int
-- @arg idleMs int
-- @result ok fields:list<bytes> evicted:list<text>
-- @result missing
local found = redis.call('HMGET', session, 'seen', 'pending', 'ends')
if not found[1] then return {'missing'} end
if not found[2] then return {'ok', redis.call('HGETALL', session), {}} end
-- Needs no memory, so what follows is written also when memory is full: see `touch`.
redis.call('HDEL', session, 'pending')
redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
local evicted = makeRoom(index, limit)
keepUntil(session, index, handle, true, math.min(found[1] + idleMs, tonumber(found[3])))
return {'ok', redis.call('HGETALL', session), evicted}
