-- Who waits for something to be freed: `queue` has them in order of arrival (score: microseconds), `alive` until when
-- each is believed to be waiting (score: milliseconds), so that a process that died in the queue holds nobody up.
-- Needs the include `now`.

-- A waiter looks again when what it waits for must have ended; later than this after that moment it is dead.
local WAITER_GRACE_MS = 5000
local MAX_DEAD_PER_CALL = 100

local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end

-- Joins the queue, or stays at its place: `since` is 0 at first, then what this gave the time before.
local function joinQueue(queue, alive, token, since, againMs)
  if since == 0 then since = nowMicros() end
  local ttlMs = math.max(againMs, 0) + WAITER_GRACE_MS
  redis.call('ZADD', queue, since, token)
  redis.call('ZADD', alive, now() + ttlMs, token)
  expireNoEarlier(queue, ttlMs)
  expireNoEarlier(alive, ttlMs)
  return since
end

local function leaveQueue(queue, alive, token)
  redis.call('ZREM', queue, token)
  redis.call('ZREM', alive, token)
end

-- Wakes the one who waits longest, and nobody else.
local function wakeNext(queue, alive, channel)
  if redis.call('EXISTS', queue) == 0 then return end
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_DEAD_PER_CALL)
  for _, token in ipairs(dead) do leaveQueue(queue, alive, token) end
  local head = redis.call('ZPOPMIN', queue)[1]
  if head then
    redis.call('ZREM', alive, head)
    redis.call('PUBLISH', channel, head)
  end
end
