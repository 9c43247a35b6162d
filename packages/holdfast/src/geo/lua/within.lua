--- The members within a circle or a box, the nearest first.
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
-- @arg radius float    in metres, 0 for a box
-- @arg width float     in metres
-- @arg height float    in metres
-- @arg limit int
-- @result found matches:rows<member:text,meters:float,lon:float,lat:float>
-- @result missing
-- @result again
if not sweep(places, ends) then return {'again'} end
if anchor ~= '' and not isLive(places, ends, anchor) then return {'missing'} end
local shape = radius > 0 and {'BYRADIUS', radius} or {'BYBOX', width, height}
return {'found', (search(places, ends, anchor, lon, lat, limit, shape))}
