-- A read-write lock, phase-fair: a writer that waits closes the door for readers that come after; when a writer leaves, all
-- readers that wait by then enter, then the next writer.
-- `holds`: a sorted set of the tokens of all holders, each with the time (ms) at which its hold ends.
-- `state`: a hash of which of them is the `writer`, which is `upgradable` and which of these is `upgrading`; the last
-- `fence`; the longest `ttl` that was granted; `until` when the last hold can last (0: nobody holds it).
-- `readers`, `writers`: those that wait, as `<token>:<mode>` in order of arrival; `alive`: until when each is believed to wait.
-- Needs the includes `now` and `wait-queue`.
local KEEP_MS = 86400000
local MAX_ADMITTED = 1000

-- A lock of which a key is gone while it is held lets nobody in until its holders have lost it.
local function checkLost(lock)
  local count = redis.call('ZCARD', lock.holds)
  lock.lost = count > 0 and not lock.known or count == 0 and lock.untilMs > now()
  if count == 0 and not lock.lost and (lock.writer or lock.upgradable) then
    redis.call('HDEL', lock.state, 'writer', 'upgradable', 'upgrading')
    lock.writer, lock.upgradable, lock.upgrading = false, false, false
  end
end

local function open(holds, state, readers, writers, alive, channel)
  local known = redis.call('HMGET', state, 'writer', 'upgradable', 'upgrading', 'fence', 'ttl', 'until')
  local lock = {holds = holds, state = state, readers = readers, writers = writers, alive = alive, channel = channel}
  lock.writer, lock.upgradable, lock.upgrading, lock.known = known[1], known[2], known[3], known[4]
  -- Never less than the server's clock where it is not known, so that a fence also rises across the loss of its key.
  lock.fence = tonumber(known[4] or nowMicros())
  lock.longestMs = tonumber(known[5] or 0)
  lock.untilMs = tonumber(known[6] or 0)
  -- The server's clock was set back.
  local latest = now() + math.max(lock.longestMs, ACCEPT_MS)
  if lock.untilMs > latest then
    lock.untilMs = latest
    redis.call('HSET', state, 'until', latest)
  end
  checkLost(lock)
  return lock
end

-- After a hold was removed. Returns whether it was the writer's.
local function forget(lock, token)
  local wasWriter = lock.writer == token
  if wasWriter then
    lock.writer = false
    redis.call('HDEL', lock.state, 'writer')
  end
  if lock.upgradable == token then
    lock.upgradable, lock.upgrading = false, false
    redis.call('HDEL', lock.state, 'upgradable', 'upgrading')
  end
  if redis.call('EXISTS', lock.holds) == 0 then
    lock.untilMs, lock.lost = 0, false
    if lock.known then redis.call('HSET', lock.state, 'until', 0) end
  end
  return wasWriter
end

-- Takes out what has ended, and shortens what seems to last longer than anything that was granted: the server's clock was
-- set back. Returns whether the writer's hold has ended.
local function purge(lock)
  local at = now()
  if lock.known then
    local latest = at + math.max(lock.longestMs, ACCEPT_MS)
    for _, token in ipairs(redis.call('ZRANGE', lock.holds, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
      redis.call('ZADD', lock.holds, latest, token)
    end
  end
  local wasWriter = false
  for _, token in ipairs(redis.call('ZRANGE', lock.holds, '-inf', at, 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    redis.call('ZREM', lock.holds, token)
    if forget(lock, token) then wasWriter = true end
  end
  return wasWriter
end

local function leave(lock, member)
  redis.call('ZREM', lock.readers, member)
  redis.call('ZREM', lock.writers, member)
  redis.call('ZREM', lock.alive, member)
end

local function buryAll(lock)
  local at = now()
  for _, member in ipairs(redis.call('ZRANGE', lock.alive, '-inf', at, 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    leave(lock, member)
  end
  local latest = at + MAX_PAUSE_MS + WAITER_GRACE_MS
  for _, member in ipairs(redis.call('ZRANGE', lock.alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    redis.call('ZADD', lock.alive, latest, member)
  end
end

-- Hands the lock over to a waiter, who has ACCEPT_MS to take it.
local function hand(lock, member, behind, own)
  local token = string.sub(member, 1, TOKEN_LENGTH)
  local untilMs = now() + ACCEPT_MS
  leave(lock, member)
  redis.call('ZADD', lock.holds, untilMs, token)
  lock.untilMs = math.max(lock.untilMs, untilMs)
  redis.call('HSET', lock.state, 'fence', lock.fence, 'until', lock.untilMs)
  lock.known = true
  local mode = string.sub(member, -1)
  if mode == 'w' then lock.writer = token end
  if mode == 'u' then lock.upgradable = token end
  if mode ~= 'r' then redis.call('HSET', lock.state, mode == 'w' and 'writer' or 'upgradable', token) end
  redis.call('PEXPIRE', lock.holds, KEEP_MS + math.max(lock.longestMs, ACCEPT_MS))
  redis.call('PEXPIRE', lock.state, KEEP_MS + math.max(lock.longestMs, ACCEPT_MS))
  if token ~= own then publishHanded(lock.channel, token, behind) end
end

-- Lets in those whose turn it is. `own` is the token of who asks, and is not woken.
local function admit(lock, afterWriter, own)
  buryAll(lock)
  if lock.lost or lock.writer then return end
  if lock.upgrading then
    -- The door is closed, so it takes the lock itself.
    if redis.call('ZCARD', lock.holds) == 1 and lock.upgrading ~= own then
      publishHanded(lock.channel, lock.upgrading, {})
    end
    return
  end
  local behind = redis.call('ZRANGE', lock.writers, 0, MAX_WATCHING - 1)
  if afterWriter or #behind == 0 then
    for _, member in ipairs(redis.call('ZRANGE', lock.readers, 0, MAX_ADMITTED - 1)) do
      if not lock.upgradable or string.sub(member, -1) == 'r' then hand(lock, member, behind, own) end
    end
  end
  if behind[1] and redis.call('EXISTS', lock.holds) == 0 then
    local next = redis.call('ZRANGE', lock.readers, 0, MAX_WATCHING - 2)
    next[#next + 1] = behind[2]
    hand(lock, behind[1], next, own)
  end
end

-- For who may hold it. Returns the fence: a new one for a writer, for the others that of the last writer.
local function take(lock, token, mode, ttlMs)
  local endsAt = now() + ttlMs
  redis.call('ZADD', lock.holds, endsAt, token)
  if mode == 'w' then lock.fence = math.max(lock.fence + 1, nowMicros()) end
  lock.longestMs = math.max(lock.longestMs, ttlMs)
  lock.untilMs = math.max(lock.untilMs, endsAt)
  redis.call('HSET', lock.state, 'fence', lock.fence, 'ttl', lock.longestMs, 'until', lock.untilMs)
  if mode == 'w' then redis.call('HSET', lock.state, 'writer', token) end
  if mode == 'u' then redis.call('HSET', lock.state, 'upgradable', token) end
  redis.call('PEXPIRE', lock.holds, KEEP_MS + lock.longestMs)
  redis.call('PEXPIRE', lock.state, KEEP_MS + lock.longestMs)
  return lock.fence
end

-- Milliseconds until the last hold ends, those of `token` left out.
local function lastEnd(lock, token)
  local last = redis.call('ZRANGE', lock.holds, -2, -1, 'WITHSCORES')
  local at = now()
  if #last == 4 and last[3] == token then return last[2] - at end
  return (last[#last] or lock.untilMs) - at
end
