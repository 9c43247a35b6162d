--- Registers a responder of a group for one lease; those whose leases have ended are forgotten.
-- @class idempotent
-- @include now
-- @key responders        of the group: ids with the ends of their leases
-- @key groups            of the channel, with the ends of their leases
-- @arg group text
-- @arg id text
-- @arg leaseMs int
-- @returns bool
local function renew(key, member)
  local answer = redis.pcall('ZADD', key, now() + leaseMs, member)
  if type(answer) == 'table' and answer.err then
    -- Where the memory is full it stays registered: nobody is forgotten either.
    if not redis.call('ZSCORE', key, member) then return answer end
    -- The first write takes no memory, so the second is taken.
    redis.call('PEXPIRE', key, leaseMs)
    redis.call('ZADD', key, 'XX', now() + leaseMs, member)
    return nil
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now())
  redis.call('PEXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
end

local refused = renew(responders, id) or renew(groups, group)
return refused or 1
