--- Resume a group, from a pause of any kind.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @key jobs
-- @key idle
-- @arg group text
-- @arg channel text
-- @result ok
local head = string.sub(jobs, 1, -5)
redis.call('ZREM', head .. 'halted', group)
if readyGroup(head, group) then wakeWorkers(idle, channel, 16) else forgetGroup(head, group) end
return 'ok'
