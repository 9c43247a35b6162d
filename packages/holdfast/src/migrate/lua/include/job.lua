-- What is read of a job of BullMQ: 12 values, behind its place. `family`: it is or was a parent. `taken`: for how long its
-- deduplication id is still taken by it (-1: until it is over; empty: it is not).
local function readJob(rows, prefix, id, state, score)
  local key = prefix .. id
  local fields = redis.call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'priority', 'atm', 'deid', 'rjk', 'parentKey')
  local family = redis.call('EXISTS', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
  local taken = ''
  if fields[7] and redis.call('GET', prefix .. 'de:' .. fields[7]) == id then
    taken = tostring(redis.call('PTTL', prefix .. 'de:' .. fields[7]))
  end
  rows[#rows + 1] = state
  rows[#rows + 1] = id
  rows[#rows + 1] = score
  for at = 1, 9 do rows[#rows + 1] = fields[at] end
  rows[#rows + 1] = tostring(family)
  rows[#rows + 1] = taken
end
