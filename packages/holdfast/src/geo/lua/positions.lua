--- Longitude and latitude of each member, alternating; nil for both if it is not there.
-- @class read
-- @include now
-- @key places
-- @key ends
-- @arg members... text
-- @returns list<float?>
local positions = redis.call('GEOPOS', places, unpack(members))
local over = redis.call('ZMSCORE', ends, unpack(members))
local flat = {}
for i = 1, #members do
  local live = positions[i] and over[i] and tonumber(over[i]) > now()
  flat[i * 2 - 1], flat[i * 2] = live and positions[i][1] or false, live and positions[i][2] or false
end
return flat
