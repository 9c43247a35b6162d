-- The state of a cache: see invalidate.lua. Needs the include `now`.
local function nextSequence(last)
  local sequence = math.floor(nowMicros() / 10)
  if last and tonumber(last) >= sequence then sequence = tonumber(last) + 1 end
  return sequence, string.format('%.0f', sequence)
end
-- A state that was kept for ever, for entries without an end, is so still.
local function keepState(state, isNew, keepMs)
  if isNew then redis.call('PEXPIRE', state, keepMs) else redis.call('PEXPIRE', state, keepMs, 'XX') end
end
