-- Reads leave expired items in place and do not see them. Needs the include `now`.

-- For each of the items, at its place, whether it has expired.
local function endedAmong(expiry, items)
  local ended = redis.call('ZMSCORE', expiry, unpack(items))
  for at, endsAt in ipairs(ended) do ended[at] = endsAt and tonumber(endsAt) <= now() end
  return ended
end
