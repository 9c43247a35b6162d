-- Sliding window counter. `state` is three packed doubles: the number of a window since 1970, what was counted in it, and in
-- the one before it. Text would cost a quarter of the call. Needs the include `now`.
local WINDOWS = 'ddd'

-- The window of this moment, the milliseconds since it began, what was counted in it and in the one before it.
local function countsNow(state, windowMs)
  local at = now()
  local window, elapsed = math.floor(at / windowMs), at % windowMs
  local stored = redis.call('GET', state)
  if not stored then return window, elapsed, 0, 0 end
  local of, current, previous = struct.unpack(WINDOWS, stored)
  if of == window then return window, elapsed, current, previous end
  if of == window - 1 then return window, elapsed, 0, current end
  -- The clock was set back: nothing is forgotten or sinks until it is there again.
  if of > window then return of, 0, current, previous end
  return window, elapsed, 0, 0
end
