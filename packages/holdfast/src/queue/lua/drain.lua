--- Drop up to `most` jobs that wait, or that are delayed where none waits. Returns how many it looked at, how many it dropped, and up to
-- which group there is none left: the next call goes on behind it. It is over where nothing was looked at and that is as before.
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
-- @arg behind text    groups up to this one have been looked at
-- @arg channel text
-- @result ok looked:int dropped:int behind:text letters:int
local ids, looked, hasMoved = {}, 0, false
local taken = redis.call('LMPOP', 3, urgent, normal, low, 'LEFT', 'COUNT', most)
if taken then
  looked = #taken[2]
  ids = genuine(jobs, taken[1] == urgent and 1 or taken[1] == normal and 2 or 3, taken[2], {})
else
  local head, MAX_GROUPS = string.sub(jobs, 1, -5), 200
  for _, group in ipairs(redis.call('ZRANGE', head .. 'known', '(' .. behind, '+', 'BYLEX', 'LIMIT', 0, MAX_GROUPS)) do
    for _, id in ipairs(redis.call('ZRANGE', head .. 'group:' .. group, 0, most - looked - 1)) do
      leaveGroup(head, group, id)
      looked = looked + 1
      ids[looked] = id
    end
    if looked == most then break end
    behind, hasMoved = group, true
  end
end
if looked == 0 and not hasMoved then
  local members = redis.call('ZRANGE', delayed, 0, most - 1)
  looked = #members
  for at, member in ipairs(members) do ids[at] = string.sub(member, 2) end
  if looked > 0 then redis.call('ZREM', delayed, unpack(members)) end
end
if #ids == 0 then return {'ok', looked, 0, behind, 0} end
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
return {'ok', looked, dropped, behind, redis.call('HLEN', letters)}
