--- Adds members or moves them, and starts their time to live again.
-- @class idempotent
-- @include now
-- @include live
-- @key places
-- @key ends
-- @arg ttlMs int
-- @arg entries... bytes    longitude, latitude and member, alternating
-- @returns int
local function keep(key)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
sweep(places, ends)
local over, scored = now() + ttlMs, {}
for i = 3, #entries, 3 do
  scored[#scored + 1] = over
  scored[#scored + 1] = entries[i]
end
local added = redis.call('GEOADD', places, unpack(entries))
redis.call('ZADD', ends, unpack(scored))
keep(places)
keep(ends)
return added
