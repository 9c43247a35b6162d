-- The state of a schedule, as text with spaces: version, next tick (0: none), when it is due, 1 where it is paused, jobs
-- added, ticks missed, ticks skipped, jobs added late, tick of the last job (0: none), how late that was, tick that is
-- held back (0: none). All times in milliseconds.
local VERSION, NEXT, DUE, PAUSED, RUNS, MISSED, SKIPPED, LATE, LAST, LATE_MS, HELD = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local function parseState(text)
  local state = {}
  for part in string.gmatch(text, '%S+') do state[#state + 1] = #state == 0 and part or tonumber(part) end
  return state
end
local function formatState(state)
  local parts = {state[VERSION]}
  for at = NEXT, HELD do parts[at] = string.format('%.0f', state[at]) end
  return table.concat(parts, ' ')
end
