-- `barrier` is a hash: round, phase (`gathering`, `inside`, `broken`, `over`), last (the round that was broken last), and for each
-- that has left `l:<token>`. `members` has those who have entered and not left, with the time (ms) at which they count as dead.
-- Needs the include `now`. To be asked while somebody is inside: where nobody is known any more they were lost, and with them who that was.
local function isBroken(barrier, members, channel, round)
  local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
  if early and tonumber(early) > now() then return false end
  redis.call('HSET', barrier, 'phase', 'broken', 'last', round)
  redis.call('DEL', members)
  redis.call('PUBLISH', channel, round)
  return true
end
