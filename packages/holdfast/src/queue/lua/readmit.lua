--- Jobs that wait for a worker that knows their names wait in their lanes again, in front: the worker that calls this claims next.
-- @class idempotent
-- @include now
-- @include options
-- @include groups
-- @include place
-- @include worker-of
-- @include ghosts
-- @include state-of
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @arg most int        as many as it can take
-- @arg all bool        it knows all names
-- @arg names... text   those that it knows
-- @returns int
local head = string.sub(jobs, 1, -5)
local moved = 0
-- Its job was moved meanwhile, or removed.
local function isGhost(id, record)
  if not record then return true end
  if stateOf(jobs, id, record) ~= 'waiting' then return true end
  return tonumber(string.sub(record, 14, 14)) > 3 and redis.call('ZSCORE', head .. 'group:' .. groupOf(record), id)
end
for _, name in ipairs(all and redis.call('HKEYS', head .. 'unhandled') or names) do
  local list = head .. 'unhandled:' .. name
  local ids = moved < most and redis.call('LPOP', list, most - moved) or {}
  -- Backwards, so that the first is in front.
  for at = #ids, 1, -1 do
    local record = redis.call('HGET', jobs, ids[at])
    if isGhost(ids[at], record) then
      dropGhost(head .. 'ghosts', ids[at])
    else
      place(jobs, {urgent, normal, low}, record, ids[at], true)
      moved = moved + 1
    end
  end
  if #ids > 0 then
    local left = redis.call('LLEN', list)
    if left == 0 then
      redis.call('HDEL', head .. 'unhandled', name)
    else
      redis.call('HSET', head .. 'unhandled', name, left)
    end
  end
end
return moved
