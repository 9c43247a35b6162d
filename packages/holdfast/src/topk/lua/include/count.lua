-- Space-Saving (Metwally, Agrawal, El Abbadi 2005): a member that is new to a full list takes the place, and the count, of the lowest.
local function count(list, member, by, counters)
  if redis.call('ZSCORE', list, member) then
    redis.call('ZINCRBY', list, by, member)
  elseif redis.call('ZCARD', list) < counters then
    redis.call('ZADD', list, by, member)
  else
    redis.call('ZADD', list, redis.call('ZPOPMIN', list)[2] + by, member)
  end
end
local function expire(list, ttlMs, expiresAt)
  if ttlMs > 0 then
    redis.call('PEXPIRE', list, ttlMs)
  elseif redis.call('PTTL', list) == -1 then
    redis.call('PEXPIREAT', list, expiresAt)
  end
end
