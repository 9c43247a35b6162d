-- `broken` has the tokens, with their fences, of holds that somebody else ended, so that their own release is never taken for done, also where its answer
-- was lost and it is sent again: as long as their holders may believe in them, and a minute for repeats. Needs the includes `now`,
-- `wait-queue` and `ended`.
local MAX_BROKEN = 256

local function noteBroken(keys, member, leftMs)
  redis.call('ZADD', keys.broken, now(), member)
  redis.call('ZREMRANGEBYRANK', keys.broken, 0, -MAX_BROKEN - 1)
  expireNoEarlier(keys.broken, leftMs + ENDED_TTL_MS)
end

-- Ends the hold of `token`: also for copies of its request that arrive late, and at once for its holder, where that listens.
local function breakHold(keys, token, number, leftMs, lateCopies, channel)
  noteBroken(keys, token .. ' ' .. number, leftMs)
  if lateCopies then rememberEnded(keys.ended, token) end
  redis.call('PUBLISH', channel, token)
end
