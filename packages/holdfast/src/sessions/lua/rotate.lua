--- Put a session under a new id in the same slot. The values are sealed to their key, so the caller brings them again;
-- `version` says which state they were read from. The old key becomes an alias for `graceMs`.
-- The new id is random, so a successor that is there already was made by this very call, whose answer was lost.
-- @class dedupable
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key successor
-- @key index
-- @arg handle text
-- @arg nextHandle text
-- @arg target text
-- @arg version int
-- @arg graceMs int
-- @arg idleMs int
-- @arg fields... bytes
-- @result ok fields:list<bytes>
-- @result conflict
-- @result missing
if redis.call('HEXISTS', successor, 'created') == 1 then return {'ok', redis.call('HGETALL', successor)} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
local kept = redis.call('HMGET', session, 'created', 'ops', 'times')
local at = now()
redis.call('HSET', successor, 'created', kept[1], 'seen', at, 'ends', state.ends, 'version', version, unpack(fields))
if kept[2] then redis.call('HSET', successor, 'ops', kept[2], 'times', kept[3] or '') end
if graceMs > 0 then redis.call('HSET', successor, 'from', handle) end
if state.user then redis.call('ZREM', index, handle) end
keepUntil(successor, index, nextHandle, state.user, math.min(at + idleMs, state.ends))
bury(session)
if graceMs > 0 then
  redis.call('HSET', session, 'alias', target, 'until', at + graceMs)
  redis.call('PEXPIRE', session, math.max(graceMs, redis.call('PTTL', session)))
end
return {'ok', redis.call('HGETALL', successor)}
