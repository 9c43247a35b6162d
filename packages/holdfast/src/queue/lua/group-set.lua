--- Set the limits of a group, or of all without their own (`*`), or take them off; from the next claim on.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @key jobs
-- @key limits
-- @key control
-- @key idle
-- @arg group text
-- @arg text text      as `limitsOf` reads it; empty: none of its own
-- @arg channel text
-- @result ok
local head = string.sub(jobs, 1, -5)
if text == '' then
  redis.call('HDEL', limits, group)
else
  redis.call('HSET', limits, group, text)
end
redis.call('HSET', control, 'rules', '1')
if group == '*' then return 'ok' end
redis.call('ZADD', head .. 'known', 0, group)
-- A rate that was used up may not be now; where it is, the next claim finds out.
redis.call('ZREM', head .. 'later', group)
if not limitsOf(head, group).blocks then redis.call('HDEL', head .. 'heads', group) end
if readyGroup(head, group) then wakeWorkers(idle, channel, 16) else forgetGroup(head, group) end
return 'ok'
