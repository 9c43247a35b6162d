--- Counts `cost` in the current window, if that and the part of the previous window which still reaches into the last
-- `windowMs` milliseconds stay within `limit`. The estimate is compared in units times milliseconds, so nothing is rounded.
-- The reply is the elapsed time of the window (minus one and negated where it was denied and nothing changed), what was
-- counted in it, and in the window before it: packed as what is stored, since a table of three costs twice as much.
-- @class unsafe
-- @batch
-- @include now
-- @include windows
-- @key state
-- @arg cost int
-- @arg limit int
-- @arg windowMs int
-- @returns bytes
local window, elapsed, current, previous = countsNow(state, windowMs)
local taken = current + cost
if previous * (windowMs - elapsed) + taken * windowMs > limit * windowMs then
  return struct.pack(WINDOWS, -1 - elapsed, current, previous)
end
local counts = struct.pack(WINDOWS, window, taken, previous)
-- Where this window has a count already, the key has its time too; setting it again would cost a tenth of the call.
if current > 0 then
  redis.call('SET', state, counts, 'KEEPTTL')
else
  redis.call('SET', state, counts, 'PXAT', (window + 2) * windowMs)
end
return struct.pack(WINDOWS, elapsed, taken, previous)
