--- The nearest members, the nearest first.
-- GEOSEARCH with COUNT looks at everything within its radius, so it is asked for growing circles until one has enough.
-- A read although it removes what is over: doing so twice harms nothing.
-- @class read
-- @batch
-- @include now
-- @include live
-- @include search
-- @key places
-- @key ends
-- @arg anchor text     the member at the centre, or '' for the coordinates
-- @arg lon float
-- @arg lat float
-- @arg radius float    of the largest circle, in metres
-- @arg limit int
-- @result found matches:rows<member:text,meters:float,lon:float,lat:float>
-- @result missing
-- @result again
local FIRST_RADIUS = 500
local GROWTH = 4
if not sweep(places, ends) then return {'again'} end
if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
local circle = FIRST_RADIUS
-- With so few members there is nothing to save.
if redis.call('ZCARD', places) <= limit then circle = radius end
local matches, count
repeat
  circle = math.min(circle, radius)
  matches, count = search(places, ends, anchor, lon, lat, limit, {'BYRADIUS', circle})
  local last = circle >= radius
  circle = circle * GROWTH
until count >= limit or last
return {'found', matches}
