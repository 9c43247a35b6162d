--- The tags of items, separated by NUL; nil where there are none.
-- @class read
-- @include now
-- @include live
-- @key items
-- @key expiry
-- @arg wanted... bytes
-- @returns list<text?>
local found = redis.call('HMGET', items, unpack(wanted))
for at, ended in ipairs(endedAmong(expiry, wanted)) do
  if ended then found[at] = false end
end
return found
