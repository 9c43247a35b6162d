-- Whole numbers of 64 bits, as decimal texts: a Lua number has only 53 of them.
local function isGreater(a, b)
  local isNegative = string.sub(a, 1, 1) == '-'
  if isNegative ~= (string.sub(b, 1, 1) == '-') then return not isNegative end
  if #a ~= #b then return (#a > #b) ~= isNegative end
  return a ~= b and (a > b) ~= isNegative
end

local function addBig(counter, by, min, max, ttlMs, renew)
  local before = redis.call('GET', counter)
  local reply = redis.pcall('INCRBY', counter, by)
  if type(reply) == 'table' then
    if string.find(reply.err, 'overflow', 1, true) then return {'limit', before or '0'} end
    if string.find(reply.err, 'not an integer', 1, true) then error({err = 'WRONGTYPE the key holds no whole number of 64 bits'}) end
    -- Such as a server that is full, or no primary any more.
    error(reply)
  end
  local sum = redis.call('GET', counter)
  if isGreater(sum, max) or isGreater(min, sum) then
    if before then redis.call('SET', counter, before, 'KEEPTTL') else redis.call('DEL', counter) end
    return {'limit', before or '0'}
  end
  if renew or not before then redis.call('PEXPIRE', counter, ttlMs) end
  return {'ok', sum}
end
