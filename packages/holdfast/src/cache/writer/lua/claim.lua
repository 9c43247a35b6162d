--- Take writes that are due, for a time: who dies with them loses them to the next.
-- `lost`: ids without their record, which was evicted. `isUneven`: one of the keys was, and the others are to be mended.
-- @class unsafe
-- @include now
-- @key pending
-- @key due
-- @key since
-- @key dead
-- @arg limit int
-- @arg claimMs int
-- @arg aheadMs int       also what is due so soon
-- @arg maxBytes int
-- @result ok claim:int ids:list<text> records:list<bytes> lost:list<text> isUneven:bool isEmpty:bool
-- First what needs no memory: after it a script may write on when memory is full.
redis.call('ZREM', due, '')
local last = redis.call('HGET', pending, '')
local claim = math.max((tonumber(last) or 0) + 1, nowMicros())
local ids, records, lost, bytes = {}, {}, {}, 0
for _, id in ipairs(redis.call('ZRANGE', due, '-inf', now() + aheadMs, 'BYSCORE', 'LIMIT', 0, limit)) do
  local record = redis.call('HGET', pending, id)
  if not record then
    redis.call('ZREM', due, id)
    redis.call('ZREM', since, id)
    lost[#lost + 1] = id
  else
    bytes = bytes + #record
    if bytes > maxBytes and #ids > 0 then break end
    local version, _, tried = struct.unpack('>ddd', record)
    record = struct.pack('>ddd', version, claim, tried + 1) .. string.sub(record, 25)
    redis.call('HSET', pending, id, record)
    redis.call('ZADD', due, now() + claimMs, id)
    ids[#ids + 1], records[#records + 1] = id, record
  end
end
if #ids > 0 then redis.call('HSET', pending, '', string.format('%.0f', claim)) end
local waiting, known = redis.call('ZCARD', due), redis.call('ZCARD', since)
local kept = redis.call('HLEN', pending) - redis.call('HEXISTS', pending, '')
return {'ok', claim, ids, records, lost, waiting ~= known or known ~= kept, waiting + known + kept == 0 and redis.call('EXISTS', dead) == 0}
