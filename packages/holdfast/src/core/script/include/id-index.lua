-- The ids of a cache that has an index: `ids` in the order of their bytes, `ends` by when their entries are over. Needs the include `now`.
-- Without an index there are no such keys: then `ids` and `ends` are the entry's own.
local function unindex(value, ids, ends, id)
  if ids == value then return end
  redis.call('ZREM', ids, id)
  redis.call('ZREM', ends, id)
end
local function index(value, ids, ends, id, keepMs)
  if ids == value then return end
  local leftMs = redis.call('PTTL', ids)
  redis.call('ZADD', ids, 0, id)
  redis.call('ZADD', ends, keepMs < 0 and 'inf' or now() + keepMs, id)
  -- Two that are over for each that comes, so that there are never many of them.
  for _, over in ipairs(redis.call('ZRANGE', ends, '-inf', now() - 1, 'BYSCORE', 'LIMIT', 0, 2)) do
    unindex(value, ids, ends, over)
  end
  if keepMs < 0 then
    redis.call('PERSIST', ids)
    redis.call('PERSIST', ends)
  elseif leftMs == -2 or (leftMs >= 0 and leftMs < keepMs) then
    redis.call('PEXPIRE', ids, keepMs)
    redis.call('PEXPIRE', ends, keepMs)
  end
end
