--- Take the lock to read ('r'), to write ('w') or to read and perhaps write later ('u'), if it is this request's turn; else, if asked to, wait.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include phases
-- @key holds
-- @key state
-- @key readers
-- @key writers
-- @key alive
-- @arg token text
-- @arg mode text
-- @arg ttlMs int
-- @arg queued bool
-- @arg since int
-- @arg wakeChannel text
-- @result acquired fence:int
-- @result busy ttlMs:int since:int
local lock = open(holds, state, readers, writers, alive, wakeChannel)
local member = token .. ':' .. mode

-- Of who has not waited.
local function mayEnter()
  if lock.lost or lock.writer or lock.upgrading or redis.call('EXISTS', writers) == 1 then return false end
  if mode == 'w' then return redis.call('EXISTS', holds) == 0 end
  return mode == 'r' or not lock.upgradable
end

local function againMs()
  local againMs = lastEnd(lock, '')
  local first = mode ~= 'w' and not lock.writer and redis.call('ZRANGE', writers, 0, 0)[1]
  -- It keeps the door closed, and may have died.
  if first then againMs = math.min(againMs, (redis.call('ZSCORE', alive, first) or 0) - now()) end
  return math.max(againMs, 1)
end

local isHeld = redis.call('ZSCORE', holds, token)
if not isHeld and queued then
  since = joinQueue(mode == 'w' and writers or readers, alive, member, since, MAX_PAUSE_MS)
  admit(lock, purge(lock), token)
  isHeld = redis.call('ZSCORE', holds, token)
elseif not isHeld and not mayEnter() then
  admit(lock, purge(lock))
end
if not isHeld and (queued or not mayEnter()) then
  local pauseMs = againMs()
  if queued then redis.call('ZADD', alive, now() + math.min(pauseMs, MAX_PAUSE_MS) + WAITER_GRACE_MS, member) end
  return {'busy', pauseMs, since}
end
local fence = take(lock, token, mode, ttlMs)
if queued then leave(lock, member) end
return {'acquired', fence}
