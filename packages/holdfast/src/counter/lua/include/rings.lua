-- Sums by period: a hash of `keep` fields, in each of which is the last period that fell on it, and its sum. Needs the includes `now` and `add`.
local MINUTE_MS, HOUR_MS, DAY_MS = 60000, 3600000, 86400000

-- What the field of the present period is to be: its name and its value; nil where the sum would be beyond 2^53 - 1.
local function ringed(ring, by, lengthMs, keep)
  local period = math.floor(now() / lengthMs)
  local field = string.format('%d', period % keep)
  local at, sum = string.match(redis.call('HGET', ring, field) or '', '^(%d+) (-?%d+)$')
  local value = tonumber(at) == period and tonumber(sum) + by or by
  if math.abs(value) > MAX_VALUE then return nil end
  return field, string.format('%.0f %.0f', period, value)
end

-- As `add`, and in the rings that are kept; `keeps` are 0 for those that are not.
local function addInRings(counter, rings, keeps, by, min, max, ttlMs, renew)
  local lengths, fields, values = {MINUTE_MS, HOUR_MS, DAY_MS}, {}, {}
  for at, ring in ipairs(rings) do
    if keeps[at] > 0 then
      fields[at], values[at] = ringed(ring, by, lengths[at], keeps[at])
      if not fields[at] then return {'limit', replyOf(valueOf(redis.call('GET', counter) or '0'))} end
    end
  end
  local result = add(counter, by, min, max, ttlMs, renew)
  if result[1] ~= 'ok' then return result end
  for at, ring in ipairs(rings) do
    if keeps[at] > 0 then
      redis.call('HSET', ring, fields[at], values[at])
      redis.call('PEXPIRE', ring, (keeps[at] + 1) * lengths[at])
    end
  end
  return result
end
