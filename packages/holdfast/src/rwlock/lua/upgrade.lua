--- Make the upgradable hold the writer's once all readers have left; while it waits, nobody else is let in.
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
-- @arg ttlMs int
-- @arg queued bool
-- @arg wakeChannel text
-- @result acquired fence:int
-- @result busy ttlMs:int
-- @result expired
local lock = open(holds, state, readers, writers, alive, wakeChannel)
purge(lock)
if lock.upgradable ~= token or not redis.call('ZSCORE', holds, token) then return {'expired'} end
if lock.writer == token or redis.call('ZCARD', holds) == 1 then
  redis.call('HDEL', state, 'upgrading')
  return {'acquired', take(lock, token, 'w', ttlMs)}
end
if queued then redis.call('HSET', state, 'upgrading', token) end
return {'busy', math.max(lastEnd(lock, token), 1)}
