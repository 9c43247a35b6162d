--- Pause a group: none of its jobs is claimed until it is resumed.
-- @class idempotent
-- @include now
-- @include options
-- @include groups
-- @key jobs
-- @arg group text
-- @result ok
haltGroup(string.sub(jobs, 1, -5), group, 'inf')
return 'ok'
