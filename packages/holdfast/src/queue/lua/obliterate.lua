--- Remove a queue partition with all its jobs: `busy` where some run, unless it is forced. UNLINK leaves the work to a thread of the server.
-- What runs then goes on, and its end changes nothing. `more`: of its groups, which go first, some are left.
-- @class idempotent
-- @key jobs
-- @key workers
-- @keys parts...
-- @arg force bool
-- @result ok
-- @result busy
-- @result more
local head, held = string.sub(jobs, 1, -5), {}
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  local active = head .. 'active:' .. worker
  if redis.call('EXISTS', active) == 1 then held[#held + 1] = active end
end
if #held > 0 and not force then return 'busy' end
for _, key in ipairs(held) do redis.call('UNLINK', key) end
local MAX_GROUPS = 100
local groups = redis.call('ZRANGE', head .. 'known', 0, MAX_GROUPS - 1)
for _, group in ipairs(groups) do redis.call('UNLINK', head .. 'group:' .. group, head .. 'rate:' .. group) end
if #groups == MAX_GROUPS then
  redis.call('ZREMRANGEBYRANK', head .. 'known', 0, MAX_GROUPS - 1)
  return 'more'
end
for _, part in ipairs({'blockedAt', 'groups', 'known', 'later', 'halted', 'heads', 'passed', 'places', 'limits', 'rate'}) do
  redis.call('UNLINK', head .. part)
end
for _, name in ipairs(redis.call('HKEYS', head .. 'unhandled')) do redis.call('UNLINK', head .. 'unhandled:' .. name) end
redis.call('UNLINK', head .. 'unhandled', head .. 'events')
redis.call('UNLINK', jobs, unpack(parts))
return 'ok'
