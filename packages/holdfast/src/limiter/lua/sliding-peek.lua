--- The elapsed time of the current window, what was counted in it, and in the window before it; packed as the reply of `sliding`.
-- @class read
-- @batch
-- @include now
-- @include windows
-- @key state
-- @arg windowMs int
-- @returns bytes
local _, elapsed, current, previous = countsNow(state, windowMs)
return struct.pack(WINDOWS, elapsed, current, previous)
