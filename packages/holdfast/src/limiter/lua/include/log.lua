-- Sliding log. `state` is a sorted set with an entry per call that was allowed: its score the microsecond, its member
-- 'total:cost', where total is all that was ever taken, this call's units included, in 16 digits, so that entries of one
-- microsecond keep their order. What counts is then the difference of two totals. Needs the include `now`.

local function totalOf(entry)
  return tonumber(string.sub(entry, 1, 16))
end

-- This moment, the entries that count no more, the total up to them, the total of all, and the moment of the last entry.
local function logNow(state, windowMicros)
  local at = nowMicros()
  local last = redis.call('ZRANGE', state, -1, -1, 'WITHSCORES')
  if not last[1] then return at, 0, 0, 0, at - windowMicros end
  local lastAt = tonumber(last[2])
  -- The clock was set back: nothing is forgotten until it is there again.
  if lastAt > at then at = lastAt end
  local over = redis.call('ZCOUNT', state, '-inf', at - windowMicros)
  local first = redis.call('ZRANGE', state, over, over)[1]
  local all = totalOf(last[1])
  if not first then return at, over, all, all, at - windowMicros end
  return at, over, totalOf(first) - tonumber(string.sub(first, 18)), all, lastAt
end

-- Microseconds until `units` of those that count have left the window. Each entry has a unit or more, so the entry with
-- which they have left is among the first `units`.
local function waitFor(state, at, windowMicros, over, base, units)
  local low, high = over, math.min(over + units, redis.call('ZCARD', state)) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if totalOf(redis.call('ZRANGE', state, middle, middle)[1]) - base >= units then high = middle else low = middle + 1 end
  end
  return redis.call('ZRANGE', state, low, low, 'WITHSCORES')[2] + windowMicros - at
end
