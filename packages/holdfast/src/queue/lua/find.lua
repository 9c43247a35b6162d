--- A job and where it is.
-- @class read
-- @include worker-of
-- @key jobs
-- @key meta
-- @key delayed
-- @key dead
-- @key workers
-- @key blocked
-- @arg id text
-- @result missing
-- @result ok record:bytes failures:bytes? crashes:int dueMs:int deadMs:int worker:text? blocked:int reason:text?
local record = redis.call('HGET', jobs, id)
if not record then return 'missing' end
local due = redis.call('ZSCORE', delayed, string.sub(record, 14, 14) .. id)
local died = redis.call('ZSCORE', dead, id)
local waits = redis.call('HGET', blocked, id)
local worker = not due and not died and not waits and workerOf(id, workers, jobs)
return {
  'ok', record, redis.call('HGET', meta, 'f' .. id), tonumber(redis.call('HGET', meta, 'c' .. id) or 0) % 1000000,
  due and string.format('%.0f', tonumber(due)) or 0, died and string.format('%.0f', tonumber(died)) or 0, worker or false,
  waits or 0, redis.call('HGET', meta, 'r' .. id),
}
