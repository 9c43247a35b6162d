--- Make the writer's hold one of a reader, or of the upgradable one that it was; nobody writes in between.
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
-- @arg upgradable bool
-- @arg wakeChannel text
-- @result ok
-- @result expired
local lock = open(holds, state, readers, writers, alive, wakeChannel)
if not redis.call('ZSCORE', holds, token) then return {'expired'} end
local wasWriter = lock.writer == token
if wasWriter then
  redis.call('HDEL', state, 'writer')
  lock.writer = false
end
if lock.upgradable == token then
  redis.call('HDEL', state, 'upgrading')
  lock.upgrading = false
  if not upgradable then
    redis.call('HDEL', state, 'upgradable')
    lock.upgradable = false
  end
end
admit(lock, purge(lock) or wasWriter)
return {'ok'}
