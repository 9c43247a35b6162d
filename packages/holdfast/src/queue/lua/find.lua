--- A job and where it is: among those that are not over, else among those that are kept.
-- @class read
-- @include now
-- @include worker-of
-- @include options
-- @include state-of
-- @key jobs
-- @key meta
-- @key kept
-- @key completed
-- @arg keepAgeMs int   what ended longer ago is not kept; 0: for ever
-- @arg id text
-- @result missing
-- @result ok row:list<bytes>
local record = redis.call('HGET', jobs, id)
if record then
  local state, at = stateOf(jobs, id, record)
  return {'ok', rowsOf(meta, state, {id}, {at}, {record})}
end
local ended = redis.call('ZSCORE', completed, id)
if not ended or keepAgeMs > 0 and tonumber(ended) <= now() - keepAgeMs then return 'missing' end
local of = redis.call('HMGET', kept, 'r' .. id, 'o' .. id)
if not of[1] then return 'missing' end
return {'ok', {'completed', string.format('%.0f', tonumber(ended)), of[1], '', '0', '', of[2] or '', ''}}
