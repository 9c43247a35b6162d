--- The elapsed time of the current window, what was counted in it, and in the window before it.
-- @class read
-- @batch
-- @include now
-- @include windows
-- @key state
-- @arg windowMs int
-- @returns list<int>
local _, elapsed, current, previous = countsNow(state, windowMs)
return {elapsed, current, previous}
