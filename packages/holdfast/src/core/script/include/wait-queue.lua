-- Waiters for something to be freed: `queue` has them in order of arrival (score: microseconds), `alive` until when
-- each is believed to be waiting (score: milliseconds), so that a process that died in the queue holds nobody up.
-- A member is the token of its request, 36 characters, and what else is to be known of it behind that.
-- Whoever frees something hands it to the first of them, so that nobody who comes later can be quicker.
-- Needs the include `now`.

-- A waiter asks again when what it waits for must have ended, and after so long at the latest (`MAX_PAUSE_MS` of
-- core/lease/acquisition.ts); one that is late by the grace is dead.
local MAX_PAUSE_MS = 30000
local WAITER_GRACE_MS = 5000
-- How long what was handed to a waiter is kept for it: `ACCEPT_MS` of core/wait/wakeups.ts.
local ACCEPT_MS = 1000
local TOKEN_LENGTH = 36
-- So many behind it look again when it was not accepted.
local MAX_WATCHING = 4
local MAX_PER_CALL = 100

local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end

-- Joins the queue, or stays at its place: `since` is 0 at first, then what this returned the time before. Behind the
-- last one also where the server's clock was set back.
local function joinQueue(queue, alive, member, since, againMs)
  -- Its first request is sent again where the answer was lost: it keeps the place that it has then.
  if since == 0 then since = tonumber(redis.call('ZSCORE', queue, member) or 0) end
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  local ttlMs = math.min(math.max(againMs, 0), MAX_PAUSE_MS) + WAITER_GRACE_MS
  redis.call('ZADD', queue, since, member)
  redis.call('ZADD', alive, now() + ttlMs, member)
  expireNoEarlier(queue, ttlMs)
  expireNoEarlier(alive, ttlMs)
  return since
end

local function leaveQueue(queue, alive, member)
  redis.call('ZREM', queue, member)
  redis.call('ZREM', alive, member)
end

-- Removes those that died, and shortens what is believed for longer than anybody can be: the server's clock was set back.
local function buryDead(queue, alive)
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, member in ipairs(dead) do leaveQueue(queue, alive, member) end
  local latest = now() + MAX_PAUSE_MS + WAITER_GRACE_MS
  local early = redis.call('ZRANGE', alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, member in ipairs(early) do redis.call('ZADD', alive, latest, member) end
end

-- The first waiters in their order, those that died left out: the one to hand something to, and those who watch it.
local function firstWaiters(queue, alive)
  buryDead(queue, alive)
  return redis.call('ZRANGE', queue, 0, MAX_WATCHING)
end

-- Lets `taker` know that it has what it waits for, and those behind it that they are to look whether it was accepted.
local function publishHanded(channel, taker, waiters)
  local message = 'handed ' .. string.sub(taker, 1, TOKEN_LENGTH)
  for _, member in ipairs(waiters) do
    if member ~= taker then message = message .. ' ' .. string.sub(member, 1, TOKEN_LENGTH) end
  end
  redis.call('PUBLISH', channel, message)
end
