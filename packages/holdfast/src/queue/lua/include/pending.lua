-- How many of those for which a job waits, or is to wait, have not ended: kept in `meta`, as there may be 10,000 of them; counted where that was lost.
local function pendingOf(jobs, meta, id)
  local known = tonumber(redis.call('HGET', meta, 'k' .. id) or -1)
  if known >= 0 then return known end
  local left = 0
  for _, waits in ipairs(redis.call('HVALS', string.sub(jobs, 1, -5) .. 'children:' .. id)) do
    if string.byte(waits) == 63 then left = left + 1 end
  end
  return left
end
