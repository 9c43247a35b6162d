-- `newest`: the time (ms, 8 bytes) and the value (8 bytes) of the newest point of a series, both as little-endian doubles.
local function append(chunk, newest, points, expiresAt, maxBytes, at, value)
  if redis.call('STRLEN', chunk) + #points > maxBytes then return {'limit'} end
  local isNew = redis.call('APPEND', chunk, points) == #points
  if isNew then redis.call('PEXPIREAT', chunk, expiresAt) end
  local before = redis.call('GET', newest)
  if not before or struct.unpack('<d', before) <= at then
    redis.call('SET', newest, struct.pack('<d', at) .. value, 'PXAT', expiresAt)
  end
  -- `opened`: there was no chunk.
  return {isNew and 'opened' or 'ok'}
end
