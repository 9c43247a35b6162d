--- Remove a job that is not running. Its id stays in its lane until its turn comes, and is passed over then.
-- @class idempotent
-- @include forget
-- @key jobs
-- @key meta
-- @key crashes
-- @key delayed
-- @key dead
-- @key unique
-- @key workers
-- @keys actives...
-- @arg id text
-- @arg uniqueKey text
-- @result ok
-- @result missing
-- @result busy
local record = redis.call('HGET', jobs, id)
if not record then return 'missing' end
for _, active in ipairs(actives) do
  if redis.call('ZSCORE', active, id) then return 'busy' end
end
redis.call('ZREM', delayed, string.sub(record, 14, 14) .. id)
redis.call('ZREM', dead, id)
freeUnique(unique, uniqueKey, id)
forget(jobs, meta, crashes, {id})
return 'ok'
