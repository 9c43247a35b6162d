--- Create a session within the user's limit. The id is new and random, so a session that is there already was created
-- by this very call, whose answer was lost; and one that has ended already, too, before its id was told to anybody.
-- @class dedupable
-- @include now
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg hasUser bool
-- @arg limit int
-- @arg evict bool
-- @arg idleMs int
-- @arg absoluteMs int
-- @arg fields... bytes
-- @result ok fields:list<bytes> evicted:list<text>
-- @result limit active:int
-- @result ended
if redis.call('HEXISTS', session, 'created') == 1 then return {'ok', redis.call('HGETALL', session), {}} end
if redis.call('EXISTS', session) == 1 then return {'ended'} end
local at = now()
local evicted = {}
if hasUser then
  redis.call('ZREMRANGEBYSCORE', index, '-inf', at)
  local active = redis.call('ZCARD', index)
  if active >= limit and not evict then return {'limit', active} end
  if active >= limit then
    local ended = redis.call('ZPOPMIN', index, active - limit + 1)
    for i = 1, #ended, 2 do evicted[#evicted + 1] = ended[i] end
  end
end
redis.call('HSET', session, 'created', at, 'seen', at, 'ends', at + absoluteMs, 'version', 1, unpack(fields))
keepUntil(session, index, handle, hasUser, at + math.min(idleMs, absoluteMs))
return {'ok', redis.call('HGETALL', session), evicted}
