--- Says that a member lives, and who else does. A member that joins, leaves or is gone wakes the others. `replaced`: another process has
-- taken its place; `missing`: the server has lost the subscription.
-- @class idempotent
-- @include now
-- @key members       id -> the time until which it counts as alive, for how long that is, and the process
-- @key registry      of the subscription
-- @key names         of all subscriptions
-- @arg name text
-- @arg id text
-- @arg token text
-- @arg ttlMs int     0: it leaves
-- @arg joins bool    it takes the place of a former process of this id
-- @arg keepMs int    how long the subscription outlives its last use; 0: for ever
-- @arg channel text
-- @arg wakeKey text
-- @result ok live:list<text>
-- @result replaced
-- @result removed
-- @result missing
local isNews, isFull, live, gone, sooner = false, false, {}, {}, {}
local known = redis.call('HGETALL', members)
for at = 1, #known, 2 do
  local untilMs, termMs, process = string.match(known[at + 1], '^(%d+) (%d+) (.*)$')
  -- The clock was set back: it lasts no longer than it could from now on.
  if tonumber(untilMs) - now() > tonumber(termMs) then
    untilMs = now() + termMs
    sooner[#sooner + 1], sooner[#sooner + 2] = known[at], string.format('%.0f %s %s', untilMs, termMs, process)
  end
  if known[at] == id then
    if process ~= token and not joins and tonumber(untilMs) > now() then return 'replaced' end
    isFull = process == token
  elseif tonumber(untilMs) > now() then
    live[#live + 1] = known[at]
  else
    gone[#gone + 1] = known[at]
  end
end
if ttlMs > 0 then
  local kind = redis.call('HGET', registry, 'kind')
  if not kind then return 'missing' end
  if kind == 'removed' then return 'removed' end
  if #sooner > 0 then redis.call('HSET', members, unpack(sooner)) end
  redis.call('HSET', members, id, string.format('%.0f %.0f %s', now() + ttlMs, ttlMs, token))
  -- It may have been evicted.
  redis.call('SADD', names, name)
  redis.call('PEXPIRE', members, ttlMs * 2)
  if keepMs > 0 then redis.call('PEXPIRE', registry, keepMs) else redis.call('PERSIST', registry) end
  live[#live + 1] = id
  isNews = not isFull
elseif isFull then
  redis.call('HDEL', members, id)
  isNews = true
end
if #gone > 0 then
  redis.call('HDEL', members, unpack(gone))
  isNews = true
end
if isNews then redis.call('PUBLISH', channel, wakeKey) end
return {'ok', live}
