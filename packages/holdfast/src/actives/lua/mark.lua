--- Marks a user as active in a window. `limit`: the user is new, and there is no place for one more; `late`: the window is no longer kept. In
-- both cases nothing was changed.
-- Everything begins with the epoch of `meta`: what was evicted takes the meaning of the places in the other keys with it.
-- @class idempotent
-- @batch 64
-- @include now
-- @key meta      hash: `epoch`, and the `next` place that nobody has
-- @key users     string: the epoch, then for each user 8 bytes of hash and 3 of place
-- @key window    string: the epoch, then a bit for each place
-- @arg hash bytes
-- @arg maxUsers int
-- @arg expiresAt int   ms, of the window
-- @result ok
-- @result limit
-- @result late
local EPOCH, WIDTH = 8, 11
-- A key that has expired would come back without an end.
if expiresAt <= now() then return {'late'} end
local known = redis.call('HMGET', meta, 'epoch', 'next')
local epoch = known[1] or string.sub(redis.sha1hex(string.format('%.0f', nowMicros())), 1, EPOCH)
local nextPlace = tonumber(known[2] or 0)
local listed = redis.call('GET', users)
if listed and string.sub(listed, 1, EPOCH) ~= epoch then listed = false end
local place
local found = listed and string.find(listed, hash, EPOCH + 1, true)
-- One that begins within another is none.
while found and (found - EPOCH - 1) % WIDTH ~= 0 do found = string.find(listed, hash, found + 1, true) end
if found then
  place = struct.unpack('<I3', listed, found + 8)
elseif nextPlace >= maxUsers then
  return {'limit'}
else
  place = nextPlace
  nextPlace = place + 1
  redis.call('HSET', meta, 'epoch', epoch, 'next', nextPlace)
  if not listed then redis.call('SET', users, epoch) end
  redis.call('APPEND', users, hash .. struct.pack('<I3', place))
end
if redis.call('GETRANGE', window, 0, EPOCH - 1) ~= epoch then
  redis.call('DEL', window)
  -- All bits at once: a string that grows is given twice as many.
  redis.call('SETBIT', window, 8 * EPOCH + nextPlace - 1, 0)
  redis.call('SETRANGE', window, 0, epoch)
  redis.call('PEXPIREAT', window, expiresAt)
end
if redis.call('SETBIT', window, 8 * EPOCH + place, 1) == 0 then
  local leftMs = expiresAt - now()
  for _, key in ipairs({meta, users}) do
    if redis.call('PTTL', key) < leftMs then redis.call('PEXPIREAT', key, expiresAt) end
  end
end
return {'ok'}
