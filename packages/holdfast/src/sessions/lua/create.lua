--- Create a session within the user's limit. The id is new and random, so a session that is there already was created
-- by this very call, whose answer was lost; and so was one that has ended already, before anybody knew its id.
-- A `pending` one evicts nobody and is not alive before it is admitted.
-- @class dedupable
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg hasUser bool
-- @arg limit int
-- @arg evict bool
-- @arg pending bool
-- @arg lateCopies bool
-- @arg idleMs int
-- @arg absoluteMs int
-- @arg fields... bytes
-- @result ok fields:list<bytes> evicted:list<text>
-- @result limit active:int
-- @result ended
if redis.call('HEXISTS', session, 'created') == 1 then return {'ok', redis.call('HGETALL', session), {}} end
if redis.call('EXISTS', session) == 1 then return {'ended'} end
local at = now()
local expiresAt = at + math.min(idleMs, absoluteMs)
local evicted = {}
if hasUser and not pending then
  redis.call('ZREMRANGEBYSCORE', index, '-inf', at)
  local active = redis.call('ZCARD', index)
  if active >= limit and not evict then return {'limit', active} end
  evicted = makeRoom(index, limit)
end
redis.call('HSET', session, 'created', at, 'seen', at, 'ends', at + absoluteMs, 'version', 1, unpack(fields))
if pending then redis.call('HSET', session, 'pending', 1) end
if lateCopies then redis.call('HSET', session, 'late', 1) end
keepUntil(session, index, handle, hasUser and not pending, expiresAt)
return {'ok', redis.call('HGETALL', session), evicted}
