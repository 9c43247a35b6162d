--- Let a write that was put aside be tried again, unless a newer one waits; and remove the entry, which is what the database has.
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
-- @arg wakeChannel text
-- @returns bool
local letter = redis.call('HGET', dead, id)
if not letter then return false end
local _, length = struct.unpack('>dI2', letter)
local record = string.sub(letter, 11 + length)
if redis.call('HEXISTS', pending, id) == 0 then
  local version = struct.unpack('>d', record)
  local last = tonumber(redis.call('HGET', pending, '')) or 0
  redis.call('HSET', pending, '', string.format('%.0f', math.max(last, version)), id, struct.pack('>ddd', version, 0, 0) .. string.sub(record, 25))
  redis.call('PERSIST', pending)
  redis.call('ZADD', due, 'NX', now(), id)
  redis.call('ZADD', since, 'NX', now(), id)
end
redis.call('HDEL', dead, id)
redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return true
