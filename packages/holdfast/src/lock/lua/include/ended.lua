-- `ended` has the tokens of the last holds that ended and requests that were given up, 64 at least. Calls are repeated for seconds at
-- most, so a minute is long enough.
local ENDED_TTL_MS = 60000
local MAX_ENDED = 128

local function rememberEnded(ended, token)
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end
