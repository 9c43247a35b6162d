--- What else is in a queue of BullMQ, and one page of its job schedulers.
-- @class read
-- @key active
-- @key parents
-- @key failed
-- @key completed
-- @key meta
-- @key schedulers
-- @arg skip int
-- @arg count int
-- @result ok active:int parents:int failed:int completed:int paused:bool schedules:list<bytes?>
local schedules = {}
local members = redis.call('ZRANGE', schedulers, skip, skip + count - 1, 'WITHSCORES')
for at = 1, #members, 2 do
  local id = members[at]
  schedules[#schedules + 1] = id
  schedules[#schedules + 1] = members[at + 1]
  local fields = redis.call(
    'HMGET', schedulers .. ':' .. id, 'name', 'pattern', 'every', 'tz', 'startDate', 'endDate', 'limit', 'data', 'opts'
  )
  for place = 1, 9 do schedules[#schedules + 1] = fields[place] end
end
return {
  'ok', redis.call('LLEN', active), redis.call('ZCARD', parents), redis.call('ZCARD', failed),
  redis.call('ZCARD', completed), redis.call('HEXISTS', meta, 'paused'), schedules,
}
