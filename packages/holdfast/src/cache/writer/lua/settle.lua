--- End the claim of a write: it is in the database, is to be tried again, or was not tried. One that a newer write has replaced meanwhile is due at once.
-- `stale`: the claim was over, and somebody else's now.
-- @class idempotent
-- @batch 64
-- @include now
-- @key pending
-- @key due
-- @key since
-- @arg id text
-- @arg claim int
-- @arg version int
-- @arg outcome text      done, retry or release
-- @arg delayMs int
-- @arg keepMs int        for how long the last number is kept when nothing waits
-- @result ok
-- @result newer
-- @result stale
redis.call('ZREM', due, '')
local record = redis.call('HGET', pending, id)
if not record then return {'stale'} end
local is, held, tried = struct.unpack('>ddd', record)
if held ~= claim then return {'stale'} end
local isNewer = is ~= version
if outcome == 'done' and not isNewer then
  redis.call('HDEL', pending, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', since, id)
  if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
  return {'ok'}
end
if isNewer then tried = 0 elseif outcome == 'release' then tried = math.max(tried - 1, 0) end
redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, tried) .. string.sub(record, 25))
redis.call('ZADD', due, now() + (isNewer and outcome == 'done' and 0 or delayMs), id)
if isNewer and outcome == 'done' then redis.call('ZADD', since, math.floor(is / 1000), id) end
return {isNewer and 'newer' or 'ok'}
