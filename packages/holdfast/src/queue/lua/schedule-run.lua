--- Add a job of a schedule now, beside its plan. A repetition of the call adds nothing.
-- @class dedupable
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include groups
-- @include place
-- @include schedule-job
-- @key operation
-- @key schedules
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @arg operationTtlMs int
-- @arg channel text
-- @arg id text
-- @arg jobId text
-- @result ok
-- @result missing
local before = redis.call('GET', operation)
if before then return before end
local record = redis.call('HGET', schedules, id)
local outcome = record and 'ok' or 'missing'
redis.call('SET', operation, outcome, 'PX', operationTtlMs)
if record and addScheduled(jobs, channel, {urgent, normal, low}, record, jobId, now()) then wakeWorkers(idle, channel, 1) end
return outcome
