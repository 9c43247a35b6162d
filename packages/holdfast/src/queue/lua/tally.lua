--- Add what a worker has counted to the totals and to this minute's counts, once however often it is sent; and say who the worker is.
-- @class idempotent
-- @include now
-- @key totals
-- @key seen       the worker's
-- @arg minutes text  what the keys of minutes begin with
-- @arg keepMs int    for how long a minute is kept
-- @arg seenMs int
-- @arg about text    who the worker is
-- @arg flush int     the first is 1
-- @arg counts... text  field, and by how much it grows; a field `x:label` is one of a bounded number
-- @result ok
local MAX_LABELS = 60
local function grow(key, field, by)
  if string.sub(field, 2, 2) == ':' and redis.call('HEXISTS', key, field) == 0 then
    if tonumber(redis.call('HGET', key, 'labels') or 0) < MAX_LABELS then
      redis.call('HINCRBY', key, 'labels', 1)
    else
      field = string.sub(field, 1, 2)
    end
  end
  redis.call('HINCRBY', key, field, by)
end
local minute = minutes .. string.format('%.0f', math.floor(now() / 60000))
-- Before anything is written: while the slot is on its way to another node a key that is not there yet is refused.
redis.call('EXISTS', minute)
local last = tonumber(redis.call('HGET', seen, 'flush') or 0)
redis.call('HSETNX', seen, 'since', now())
redis.call('HSET', seen, 'flush', flush, 'about', about)
redis.call('PEXPIRE', seen, seenMs)
if last >= flush or #counts == 0 then return 'ok' end
for at = 1, #counts, 2 do
  grow(totals, counts[at], counts[at + 1])
  grow(minute, counts[at], counts[at + 1])
end
redis.call('PEXPIRE', minute, keepMs)
return 'ok'
