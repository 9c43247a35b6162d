--- Adds members or moves them, and starts their time to live again.
-- @class idempotent
-- @include now
-- @include live
-- @key places
-- @key ends
-- @key fields
-- @arg ttlMs int
-- @arg entries... bytes    longitude, latitude, member and fields, alternating; fields: '' keeps what is there, '{}' removes it
-- @returns int
local function keep(key)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local allSwept = sweep(places, ends, fields)
local over, points, scored, latest = now() + ttlMs, {}, {}, {}
for i = 1, #entries, 4 do
  local member, about = entries[i + 2], entries[i + 3]
  points[#points + 1], points[#points + 2], points[#points + 3] = entries[i], entries[i + 1], member
  scored[#scored + 1], scored[#scored + 2] = over, member
  -- What was over and is still there does not come back with its fields.
  if about ~= '' then
    latest[member] = about
  elseif not latest[member] and not allSwept and not isLive(places, ends, member) then
    latest[member] = '{}'
  end
end
local stored, cleared = {}, {}
for member, about in pairs(latest) do
  if about == '{}' then
    cleared[#cleared + 1] = member
  else
    stored[#stored + 1], stored[#stored + 2] = member, about
  end
end
local added = redis.call('GEOADD', places, unpack(points))
redis.call('ZADD', ends, unpack(scored))
if #cleared > 0 then redis.call('HDEL', fields, unpack(cleared)) end
if #stored > 0 then
  redis.call('HSET', fields, MARK, '', unpack(stored))
  redis.call('ZADD', places, BEFORE_THE_MAP, MARK)
end
keep(places)
keep(ends)
-- With the others, whoever has fields: the map is not whole without them.
redis.call('PEXPIRE', fields, redis.call('PTTL', places))
return added
