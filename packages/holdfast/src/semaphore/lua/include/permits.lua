-- `permits`: a sorted set of holds, `<token>:<count>` with the time (ms) at which it ends: from then on whoever needs its
-- permits may take them. A member '#' at 0 keeps the key, and so its expiry, while nobody holds any.
-- `state`: what is known of the semaphore, packed, as every call reads and writes it. Needs the include `now`.
local KEEP_MS = 604800000
local DAY_MS = 86400000
-- MAX_PAUSE_MS, that and WAITER_GRACE_MS, and ACCEPT_MS of the include `wait-queue`, which a call that waits for nobody does without.
local PAUSE_MS = 30000
local BELIEVED_MS = 35000
local LEAST_TTL_MS = 1000
local PER_CALL = 100

-- Permits that are held, all holds together; the last fence; the limit that was set (-1: none); the longest ttl that was
-- granted; until when the keys are kept; until when one of the waiters is believed to wait (0: nobody waits).
local held, lastFence, stored, longestMs, keptUntil, waitedUntil

-- How many permits a hold is of: its token has 36 characters.
local function countOf(hold)
  return tonumber(string.sub(hold, 38))
end

local function countOfAll(holds)
  local count = 0
  for _, hold in ipairs(holds) do count = count + countOf(hold) end
  return count
end

local function readState(permits, state)
  local packed = redis.call('GET', state)
  if packed then
    held, lastFence, stored, longestMs, keptUntil, waitedUntil = struct.unpack('<dddddd', packed)
  else
    -- Of a new semaphore, or the key was evicted.
    held = countOfAll(redis.call('ZRANGE', permits, '(0', '+inf', 'BYSCORE'))
    lastFence, stored, longestMs, keptUntil, waitedUntil = 0, -1, 0, 0, 0
  end
end

local function writeState(state)
  redis.call('SET', state, struct.pack('<dddddd', held, lastFence, stored, longestMs, keptUntil, waitedUntil), 'KEEPTTL')
end

-- For so long, and a week.
local function keep(permits, state, at, ttlMs)
  keptUntil = at + ttlMs + KEEP_MS
  redis.call('ZADD', permits, 0, '#')
  redis.call('PEXPIRE', permits, ttlMs + KEEP_MS)
  writeState(state)
  redis.call('PEXPIRE', state, ttlMs + KEEP_MS)
end

-- Takes out what has ended. What seems to last longer than any that was granted does so because the server's clock was
-- set back.
local function purge(permits, at)
  local latest = at + math.max(longestMs, LEAST_TTL_MS)
  for _, hold in ipairs(redis.call('ZRANGE', permits, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, PER_CALL)) do
    redis.call('ZADD', permits, latest, hold)
  end
  local ended = redis.call('ZRANGE', permits, '(0', at, 'BYSCORE', 'LIMIT', 0, PER_CALL)
  if #ended > 0 then
    redis.call('ZREM', permits, unpack(ended))
    held = held - countOfAll(ended)
  end
  -- The key was evicted.
  if held > 0 and redis.call('EXISTS', permits) == 0 then held, keptUntil = 0, 0 end
end

-- Milliseconds until the next hold ends if nobody renews it.
local function nextEnd(permits, at)
  local first = redis.call('ZRANGE', permits, '(' .. at, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  return first[2] and first[2] - at or PAUSE_MS
end

-- Returns the fence. A hold that is there already is of a request that is repeated, or was handed over.
local function grant(permits, state, hold, count, ttlMs, at)
  if redis.call('ZADD', permits, at + ttlMs, hold) == 1 then held = held + count end
  lastFence = math.max(lastFence + 1, nowMicros())
  if ttlMs > longestMs then longestMs = ttlMs end
  if at + ttlMs > keptUntil - DAY_MS then keep(permits, state, at, ttlMs) else writeState(state) end
  return lastFence
end
