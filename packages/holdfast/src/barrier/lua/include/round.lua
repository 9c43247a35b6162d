-- `barrier` is a hash: round, phase (`gathering`, `inside`, `broken`, `over`), last (the rounds that were broken last, the newest in front),
-- floor (of rounds below nothing is known), and for each that has left `l:<token>`. `members` has those who have entered and not left, with
-- the time (ms) at which they count as dead. Needs the include `now`.
local MAX_BROKEN = 32

-- Of one who has slept since: its round was broken, or nobody knows.
local function wasBroken(last, floor, round)
  if round < (tonumber(floor) or 0) then return true end
  for each in string.gmatch(last or '', '%d+') do
    if tonumber(each) == round then return true end
  end
  return false
end

local function breakRound(barrier, members, channel, round)
  local rounds = {round}
  for each in string.gmatch(redis.call('HGET', barrier, 'last') or '', '%d+') do rounds[#rounds + 1] = each end
  if #rounds > MAX_BROKEN then redis.call('HSET', barrier, 'floor', string.format('%.0f', tonumber(table.remove(rounds)) + 1)) end
  redis.call('HSET', barrier, 'phase', 'broken', 'last', table.concat(rounds, ' '))
  redis.call('DEL', members)
  redis.call('PUBLISH', channel, round)
end

-- To be asked while somebody is inside: where nobody is known any more they were lost, and with them who that was.
local function isBroken(barrier, members, channel, round)
  local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
  if early and tonumber(early) > now() then return false end
  breakRound(barrier, members, channel, round)
  return true
end
