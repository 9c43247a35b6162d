--- Moves a partition's cursor for whoever owns it: what is in flight is fenced, and its owner, woken, begins again from there.
-- @class idempotent
-- @include now
-- @include log
-- @include used-until
-- @key state
-- @key log
-- @key meta
-- @key cursors
-- @arg name text
-- @arg from int      the cursor; -1: the end
-- @arg epoch int
-- @arg clears bool   what the subscription keeps as its state goes
-- @arg keepMs int
-- @arg channel text
-- @arg wakeKey text
-- @result ok
-- @result missing
local last = redis.call('HMGET', state, 'fence', 'cursor')
if not last[2] then return 'missing' end
local cursor, known = from, epoch
if from < 0 then
  local tail = logState(log, meta, '')
  cursor, known = tail.head, tail.head > 0 and tail.epoch or 0
end
local fence = string.format('%.0f', math.max((tonumber(last[1]) or 0) + 1, nowMicros()))
if clears then
  local leftMs = redis.call('PTTL', state)
  redis.call('UNLINK', state)
  redis.call('HSET', state, 'cursor', cursor)
  if leftMs > 0 then redis.call('PEXPIRE', state, leftMs) end
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', known, 'fence', fence)
redis.call('HDEL', state, 'tries', 'lost')
used(state, cursors, name, cursor, keepMs)
redis.call('PUBLISH', channel, wakeKey)
return 'ok'
