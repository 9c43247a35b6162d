--- Score and fields of each member, alternating; nil for both if it is not there, '' for the fields where it has none.
-- @class read
-- @include now
-- @include live
-- @key places
-- @key ends
-- @key fields
-- @arg members... text
-- @returns list<text?>
local whole = isWhole(places, ends, fields)
local scores = redis.call('ZMSCORE', places, unpack(members))
local over = redis.call('ZMSCORE', ends, unpack(members))
local about = redis.call('HMGET', fields, unpack(members))
local flat = {}
for i = 1, #members do
  local live = whole and scores[i] and over[i] and tonumber(over[i]) > now()
  flat[i * 2 - 1], flat[i * 2] = live and scores[i] or false, live and (about[i] or '') or false
end
return flat
