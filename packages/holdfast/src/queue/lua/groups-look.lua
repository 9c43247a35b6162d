--- Look again at which groups may be claimed from, from behind `cursor`: the limits of those without their own have changed.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @key known
-- @key idle
-- @arg cursor text
-- @arg count int
-- @arg channel text
-- @result more cursor:text
-- @result ok
local head, ready = string.sub(known, 1, -6), 0
local groups = redis.call('ZRANGE', known, '(' .. cursor, '+', 'BYLEX', 'LIMIT', 0, count)
for _, group in ipairs(groups) do
  redis.call('ZREM', head .. 'later', group)
  if not limitsOf(head, group).blocks then redis.call('HDEL', head .. 'heads', group) end
  local isReady, isNew = readyGroup(head, group)
  if isNew then ready = ready + 1 end
end
wakeWorkers(idle, channel, ready)
if #groups == count then return {'more', groups[#groups]} end
return 'ok'
