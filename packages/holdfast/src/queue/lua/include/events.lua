-- What happens to jobs, for those who follow the queue's `events`: where none of its processes has them it costs one GET of a script.
-- A reader that has seen all of them leaves `watched`, and the next event wakes all readers. A full server loses events, never jobs.
local eventsMax
local function noteEvent(jobs, channel, kind, id, record, detail)
  local head = string.sub(jobs, 1, -5)
  if eventsMax == nil then eventsMax = redis.call('GET', head .. 'events:max') end
  if not eventsMax then return end
  local ends = record and string.find(record, '\n', 15, true)
  local name = ends and ends > 15 and cjson.decode(string.sub(record, 15, ends - 1)).n or ''
  redis.pcall('XADD', head .. 'events', 'MAXLEN', '~', eventsMax, '*', 'k', kind, 'j', id, 'n', name, 'd', detail or '')
  if redis.call('DEL', head .. 'watched') == 1 then redis.call('PUBLISH', channel, head .. 'events') end
end
