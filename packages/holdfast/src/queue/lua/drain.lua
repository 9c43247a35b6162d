--- Drop up to `most` jobs that wait, or that are delayed where none waits. Returns how many it looked at, and how many it dropped.
-- @class idempotent
-- @include now
-- @include forget
-- @include worker-of
-- @include options
-- @include events
-- @include groups
-- @include ghosts
-- @include letters
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key unique
-- @key letters
-- @arg most int
-- @arg channel text
-- @result ok looked:int dropped:int
local ids, looked = {}, 0
local taken = redis.call('LMPOP', 3, urgent, normal, low, 'LEFT', 'COUNT', most)
if taken then
  looked = #taken[2]
  ids = genuine(jobs, taken[1] == urgent and 1 or taken[1] == normal and 2 or 3, taken[2], {})
else
  local head, MAX_GROUPS = string.sub(jobs, 1, -5), 10000
  for _, group in ipairs(redis.call('ZRANGE', head .. 'known', 0, MAX_GROUPS - 1)) do
    ids = redis.call('ZRANGE', head .. 'group:' .. group, 0, most - 1)
    for _, id in ipairs(ids) do leaveGroup(head, group, id) end
    looked = #ids
    if looked > 0 then break end
  end
end
if looked == 0 then
  local members = redis.call('ZRANGE', delayed, 0, most - 1)
  looked = #members
  for at, member in ipairs(members) do ids[at] = string.sub(member, 2) end
  if looked > 0 then redis.call('ZREM', delayed, unpack(members)) end
end
if #ids == 0 then return {'ok', looked, 0} end
local dropped = 0
for at, record in ipairs(redis.call('HMGET', jobs, unpack(ids))) do
  if record then
    dropped = dropped + 1
    tellParents(letters, record, 'd', '')
    freeUnique(unique, optionsOf(record).u or '', ids[at])
    noteEvent(jobs, channel, 'removed', ids[at], record)
  end
end
forget(jobs, meta, ids)
return {'ok', looked, dropped}
