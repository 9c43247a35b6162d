--- The tags of items, separated by NUL; nil where there are none.
-- @class read
-- @include now
-- @include whole
-- @include live
-- @key items
-- @key links
-- @key counts
-- @key expiry
-- @arg wanted... bytes
-- @returns list<text?>
local found = redis.call('HMGET', items, unpack(wanted))
if not isWhole(items, links, counts, expiry) then
  for at = 1, #wanted do found[at] = false end
  return found
end
for at, ended in ipairs(endedAmong(expiry, wanted)) do
  if ended then found[at] = false end
end
return found
