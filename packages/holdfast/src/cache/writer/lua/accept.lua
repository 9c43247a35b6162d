--- Store a value, or remove it, and note in the same step that the database has yet to be written.
-- `full`: so many wait, or were put aside; nothing has changed.
-- `pending` holds the last write of each id: its version, the claim of who is writing it to the database (0: nobody), how often that was tried, 1
-- for a value and 2 for a removal, the value. Its field '' is the last number given. A version is the time in microseconds, or one more than
-- the last number. `due`: when each id is to be written next; one that is being written stays where it is until that has ended, so that no id is written
-- twice at once. `since`: for how long each has waited.
-- @class idempotent
-- @batch 64
-- @include now
-- @include id-index
-- @key value
-- @key lease
-- @key pending
-- @key due
-- @key since
-- @key dead
-- @key ids
-- @key ends
-- @arg id text
-- @arg removes bool
-- @arg freshMs int       below 0, as keepMs: for ever
-- @arg keepMs int
-- @arg lingerMs int
-- @arg maxWaiting int    entries that wait or were put aside
-- @arg wakeChannel text
-- @arg head bytes        of the entry, without its time
-- @arg payload bytes
-- @result accepted version:int
-- @result full
local before = redis.call('HMGET', pending, '', id)
if not before[2] and redis.call('ZCARD', since) + redis.call('HLEN', dead) >= maxWaiting and redis.call('HEXISTS', dead, id) == 0 then
  return {'full'}
end
local version = math.max((tonumber(before[1]) or 0) + 1, nowMicros())
local claim = before[2] and select(2, struct.unpack('>dd', before[2])) or 0
local record = struct.pack('>dddB', version, claim, 0, removes and 2 or 1) .. payload
redis.call('HSET', pending, '', string.format('%.0f', version), id, record)
redis.call('PERSIST', pending)
redis.call('ZADD', due, 'NX', now() + lingerMs, id)
redis.call('ZADD', since, 'NX', now(), id)
redis.call('HDEL', dead, id)
if removes then
  redis.call('DEL', value)
  unindex(value, ids, ends, id)
else
  index(value, ids, ends, id, keepMs)
  local ends = struct.pack('>I6', freshMs < 0 and 281474976710655 or now() + freshMs)
  local entry = string.sub(head, 1, 1) .. ends .. string.sub(head, 2) .. payload
  if keepMs < 0 then redis.call('SET', value, entry) else redis.call('SET', value, entry, 'PX', keepMs) end
end
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return {'accepted', version}
