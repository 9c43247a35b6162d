-- Starts within a window of time, as a log: a sorted set by the time of the start (microseconds), whose members are the count of all starts so
-- far and the count at that time. No window of `perMs` ever has more than the limit. What falls in the same thousandth of the window is one
-- entry, with the time of the last of it: at most 1,000 entries. Needs the include `now`.
local function countsOf(entry)
  local total, count = string.match(entry, '^(%d+):(%d+)$')
  return tonumber(total), tonumber(count)
end
-- How many may start now; milliseconds since 1970 at which more may, where some have started.
local function freeStarts(key, rate, perMs)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', nowMicros() - perMs * 1000))
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if not first[1] then return rate end
  local before, count = countsOf(first[1])
  local total = countsOf(redis.call('ZRANGE', key, -1, -1)[1])
  return math.max(rate - (total - before + count), 0), math.ceil(tonumber(first[2]) / 1000) + perMs
end
local function logStarts(key, started, perMs)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  -- The clock may have been set back.
  local at, total, count, grain = nowMicros(), started, started, perMs
  if last[1] then
    local before, lastCount = countsOf(last[1])
    local lastAt = tonumber(last[2])
    at, total = math.max(at, lastAt), before + started
    if math.floor(at / grain) == math.floor(lastAt / grain) then
      redis.call('ZREM', key, last[1])
      count = lastCount + started
    end
  end
  redis.call('ZADD', key, string.format('%.0f', at), string.format('%.0f:%.0f', total, count))
  redis.call('PEXPIRE', key, perMs + 1)
end
