--- Return what has happened to jobs since a place in a queue partition's events. Where that is nothing, the next event wakes the reader.
-- Events are counted from 1, whatever was trimmed since: `first` is the number of the oldest one that is kept, `total` how many there ever were.
-- `last` is the place of the latest one. Each event: its place, kind, job, name, detail.
-- @class idempotent
-- @key events
-- @key max
-- @key watched
-- @arg keepMs int      for how long events are noted if no process asks for them again
-- @arg most int        how many are kept, about
-- @arg watchMs int
-- @arg after text      a place
-- @arg count int
-- @result ok first:int total:int last:text found:list<bytes>
redis.call('SET', max, most, 'PX', keepMs)
local first, total, last, found = 1, 0, '0-0', {}
if redis.call('EXISTS', events) == 1 then
  local info, about = redis.call('XINFO', 'STREAM', events), {}
  for at = 1, #info, 2 do about[info[at]] = info[at + 1] end
  total, last = about['entries-added'], about['last-generated-id']
  first = total - about['length'] + 1
  for _, entry in ipairs(redis.call('XRANGE', events, '(' .. after, '+', 'COUNT', count)) do
    local fields = entry[2]
    for _, part in ipairs({entry[1], fields[2], fields[4], fields[6], fields[8]}) do found[#found + 1] = part end
  end
end
if #found == 0 then redis.call('SET', watched, '1', 'PX', watchMs) end
return {'ok', first, total, last, found}
