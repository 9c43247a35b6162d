-- Waiters for something to be freed: `queue` has them in order of arrival (score: microseconds), `alive` until when
-- each is believed to be waiting (score: milliseconds), so that a process that died in the queue holds nobody up.
-- Needs the include `now`.

-- A waiter asks again when what it waits for must have ended, and after so long at the latest (`MAX_PAUSE_MS` of
-- lock/acquisition.ts); one that is late by the grace is dead.
local MAX_PAUSE_MS = 30000
local WAITER_GRACE_MS = 5000
local MAX_PER_CALL = 100

local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end

-- Joins the queue, or stays at its place: `since` is 0 at first, then what this returned the time before. Behind the
-- last one also where the server's clock was set back.
local function joinQueue(queue, alive, token, since, againMs)
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  local ttlMs = math.min(math.max(againMs, 0), MAX_PAUSE_MS) + WAITER_GRACE_MS
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

-- Wakes the one that has waited longest, and nobody else.
local function wakeNext(queue, alive, channel)
  if redis.call('EXISTS', queue) == 0 then return end
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, token in ipairs(dead) do leaveQueue(queue, alive, token) end
  local head = redis.call('ZPOPMIN', queue)[1]
  if not head then return end
  redis.call('ZREM', alive, head)
  redis.call('PUBLISH', channel, head)
  -- Believed for longer than anybody can be: the server's clock was set back.
  local latest = now() + MAX_PAUSE_MS + WAITER_GRACE_MS
  local early = redis.call('ZRANGE', alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, token in ipairs(early) do redis.call('ZADD', alive, latest, token) end
end
