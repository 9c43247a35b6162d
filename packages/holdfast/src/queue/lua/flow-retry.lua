--- Let a job wait again for those among the others that died, because they are run again; also one that is dead because of them.
-- @class idempotent
-- @include now
-- @include events
-- @include pending
-- @key jobs
-- @key meta
-- @key dead
-- @key blocked
-- @arg channel text
-- @arg id text
-- @arg refs... text    how it calls them
-- @result ok
-- @result missing
local isDead = redis.call('ZSCORE', dead, id) and redis.call('HEXISTS', meta, 'r' .. id) == 1
if not isDead and redis.call('HEXISTS', blocked, id) == 0 then return 'missing' end
local children = string.sub(jobs, 1, -5) .. 'children:' .. id
local again, before = 0, pendingOf(jobs, meta, id)
for _, ref in ipairs(refs) do
  local told = redis.call('HGET', children, ref)
  if told and not string.find('?o', string.sub(told, 1, 1), 1, true) then
    redis.call('HSET', children, ref, '?' .. string.sub(told, 2, string.find(told, '\n', 1, true) - 1))
    if redis.call('HGET', meta, 'e' .. id) == ref then redis.call('HDEL', meta, 'e' .. id) end
    again = again + 1
  end
end
local left = before + again
redis.call('HSET', meta, 'k' .. id, left)
if isDead then
  if left == 0 then return 'missing' end
  redis.call('ZREM', dead, id)
  redis.call('HDEL', meta, 'r' .. id)
  noteEvent(jobs, channel, 'retried', id, redis.call('HGET', jobs, id))
  redis.call('HSET', blocked, id, left)
  redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
elseif again > 0 then
  redis.call('HINCRBY', blocked, id, again)
end
return 'ok'
