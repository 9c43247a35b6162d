--- A job and where it is. `active` is told by elimination: it is in no lane that can be asked in constant time.
-- @class read
-- @key jobs
-- @key meta
-- @key crashes
-- @key delayed
-- @key dead
-- @arg id text
-- @result missing
-- @result ok record:bytes meta:bytes? crashes:int dueMs:int deadMs:int
local record = redis.call('HGET', jobs, id)
if not record then return 'missing' end
local due = redis.call('ZSCORE', delayed, string.sub(record, 14, 14) .. id)
local died = redis.call('ZSCORE', dead, id)
return {
  'ok', record, redis.call('HGET', meta, id), redis.call('HGET', crashes, id) or 0,
  due and string.format('%.0f', tonumber(due)) or 0, died and string.format('%.0f', tonumber(died)) or 0,
}
