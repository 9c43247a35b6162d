--- Put back what the loss of one key has cost: a write that is noted nowhere as due is due now; returns the ids whose write is gone.
-- @class idempotent
-- @include now
-- @key pending
-- @key due
-- @key since
-- @arg ids... text
-- @returns list<text>
redis.call('ZREM', due, '')
local lost = {}
for _, id in ipairs(ids) do
  if redis.call('HEXISTS', pending, id) == 1 then
    redis.call('ZADD', due, 'NX', now(), id)
    redis.call('ZADD', since, 'NX', now(), id)
  else
    redis.call('ZREM', due, id)
    redis.call('ZREM', since, id)
    lost[#lost + 1] = id
  end
end
return lost
