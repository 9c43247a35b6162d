--- Read the value, or take the right to load it: of all callers that miss, one is told `leased`, the others `wait`.
-- The token lives beside the value, not in it, and whoever deletes the value deletes the token with it.
-- @class dedupable
-- @key value
-- @key lease
-- @arg token text
-- @arg leaseMs int
-- @arg reload bool
-- @result hit value:bytes
-- @result leased
-- @result wait leaseMs:int
if not reload then
  local found = redis.call('GET', value)
  if found then return {'hit', found} end
end
local holder = redis.call('HGET', lease, 'token')
if holder and holder ~= token then
  redis.call('HSET', lease, 'waiters', 1)
  return {'wait', redis.call('PTTL', lease)}
end
redis.call('HSET', lease, 'token', token)
redis.call('PEXPIRE', lease, leaseMs)
return {'leased'}
