--- Jobs that wait for a worker that knows their names wait in their lanes again, in front: the worker that calls this claims next.
-- @class idempotent
-- @include now
-- @include options
-- @include groups
-- @include place
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @arg most int        as many as it can take
-- @arg all bool        it knows all names, except that of deaths
-- @arg names... text   those that it knows
-- @returns int
local head = string.sub(jobs, 1, -5)
local moved = 0
if all then
  for _, name in ipairs(redis.call('HKEYS', head .. 'unhandled')) do
    if name ~= 'holdfast:dead' then names[#names + 1] = name end
  end
end
for _, name in ipairs(names) do
  local key = head .. 'unhandled:' .. name
  local ids = moved < most and redis.call('ZPOPMIN', key, most - moved) or {}
  -- Backwards, so that the first is in front; with their scores.
  for at = #ids - 1, 1, -2 do
    local record = redis.call('HGET', jobs, ids[at])
    if record then
      place(jobs, {urgent, normal, low}, record, ids[at], true)
      moved = moved + 1
    end
  end
  if #ids > 0 then
    local left = redis.call('ZCARD', key)
    if left == 0 then
      redis.call('HDEL', head .. 'unhandled', name)
    else
      redis.call('HSET', head .. 'unhandled', name, left)
    end
  end
end
return moved
