--- Put a write aside that has failed too often, and remove the entry: what is read from now on is what the database has.
-- @class idempotent
-- @batch 64
-- @include now
-- @key value
-- @key lease
-- @key pending
-- @key due
-- @key since
-- @key dead
-- @arg id text
-- @arg claim int
-- @arg version int
-- @arg reason text
-- @arg keepMs int
-- @arg wakeChannel text
-- @result ok
-- @result newer
-- @result stale
redis.call('ZREM', due, '')
local record = redis.call('HGET', pending, id)
if not record then return {'stale'} end
local is, held = struct.unpack('>dd', record)
if held ~= claim then return {'stale'} end
if is ~= version then
  redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, 0) .. string.sub(record, 25))
  redis.call('ZADD', due, now(), id)
  return {'newer'}
end
redis.call('HSET', dead, id, struct.pack('>dI2', now(), #reason) .. reason .. record)
redis.call('HDEL', pending, id)
redis.call('ZREM', due, id)
redis.call('ZREM', since, id)
if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return {'ok'}
