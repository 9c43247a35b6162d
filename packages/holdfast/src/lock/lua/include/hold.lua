-- A lock, as its keys have it. Needs the includes `now` and `wait-queue`.
-- `lock` is there while it is held, `<holder> <fence> <ttl>`, with ` w` behind it once somebody waits. The holder is the
-- token of its request; `=<owner>` where requests of one owner share it, each of them in the hash `holds` with the time (ms) at
-- which it expires.
-- `fence` outlives it: `<last fence> <ttl> <fence of the last hold that was released>`, ttl 0 once the last one was released. While it is
-- held `fence` expires a day after `lock`: a lock that was evicted under its holder is not granted again before that
-- holder has lost it by its own clock.
-- Expiry is by the server's clock, which can be set back: nothing lasts longer than the ttl from now on.
local FENCE_TTL_MS = 86400000
-- What tokens of one handle begin with: `HANDLE_LENGTH` of handovers.ts.
local HANDLE_LENGTH = 8

-- What is in `lock`: its holder, fence (as text), ttl, and whether somebody waits; nothing where it is free.
local function readLock(lock)
  local text = redis.call('GET', lock)
  if not text then return end
  local holder, number, ttlMs, marked = string.match(text, '^(.*) (%d+) (%d+)( ?w?)$')
  return holder, number, tonumber(ttlMs), marked == ' w'
end

-- The last fence, the ttl of its hold or 0, and the last one that was released. Earlier releases wrote `<fence>:<ttl>` or `<fence>`.
local function readFence(fence)
  local last, ttlMs, released = string.match(redis.call('GET', fence) or '0', '^(%d+)[: ]?(%d*) ?(%d*)$')
  return tonumber(last), tonumber(ttlMs) or 0, tonumber(released) and released or '0'
end

-- PTTL of a key that should last no longer than `mostMs`; it does after the server's clock was set back, or a PERSIST.
local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end

-- How long a lock that is gone may be believed in: it was evicted under its holder.
local function evictedMs(fence, heldMs)
  if heldMs == 0 then return 0 end
  return boundedTtl(fence, FENCE_TTL_MS + heldMs) - FENCE_TTL_MS
end

local function writeLock(lock, holder, number, ttlMs, marked, ...)
  -- Not by `%s`, which ends at a zero byte of an owner.
  redis.call('SET', lock, holder .. ' ' .. number .. string.format(' %.0f', ttlMs) .. (marked and ' w' or ''), ...)
end

local function markHeld(fence, number, ttlMs, released)
  redis.call('SET', fence, string.format('%s %.0f %s', number, ttlMs, released), 'PX', string.format('%.0f', FENCE_TTL_MS + ttlMs))
end

-- Keeps a hold for `ttlMs` from now, or as long as it lasts already. The first write takes no memory, so the server lets the script
-- go on although its memory is full.
local function keepFor(keys, token, ttlMs)
  local holder, number, longestMs, marked = readLock(keys.lock)
  redis.call('PEXPIRE', keys.lock, ttlMs, 'GT')
  redis.call('PEXPIRE', keys.fence, FENCE_TTL_MS + ttlMs, 'GT')
  if ttlMs > longestMs then
    local _, _, released = readFence(keys.fence)
    writeLock(keys.lock, holder, number, ttlMs, marked, 'KEEPTTL')
    markHeld(keys.fence, number, ttlMs, released)
  end
  if holder == token then return end
  local expiresAt = math.max(tonumber(redis.call('HGET', keys.holds, token)), now() + ttlMs)
  redis.call('HSET', keys.holds, token, math.min(expiresAt, now() + math.max(ttlMs, longestMs)))
  redis.call('PEXPIRE', keys.holds, ttlMs, 'GT')
end

-- Grants a lock that is free. Never a fence below the server's clock, so that it also rises across the loss of its key
-- and a failover to a replica that has not seen the last one. The key guards against a clock that is set back.
local function grant(keys, owner, token, ttlMs, last, released, marked)
  local number = string.format('%.0f', math.max(last + 1, nowMicros()))
  writeLock(keys.lock, owner == '' and token or '=' .. owner, number, ttlMs, marked, 'PX', ttlMs)
  markHeld(keys.fence, number, ttlMs, released)
  if owner ~= '' then
    redis.call('DEL', keys.holds)
    redis.call('HSET', keys.holds, token, now() + ttlMs)
    redis.call('PEXPIRE', keys.holds, ttlMs)
  end
  return number
end

-- Gives a lock that is free to the first that waits; returns its token, its fence and whether others wait, nothing where nobody does.
-- One of the handle that releases it is known there to have it: for `handMs` at once, and nobody need be told.
local function handOver(keys, last, released, channel, giver, handMs)
  if redis.call('EXISTS', keys.queue) == 0 then return end
  local waiters = firstWaiters(keys.queue, keys.alive)
  local taker = waiters[1]
  if not taker then return end
  local token, owner = string.sub(taker, 1, TOKEN_LENGTH), string.sub(taker, TOKEN_LENGTH + 1)
  local isNear = giver and owner == '' and string.sub(giver, 1, HANDLE_LENGTH) == string.sub(token, 1, HANDLE_LENGTH)
  local number = grant(keys, owner, token, isNear and handMs or ACCEPT_MS, last, released, waiters[2])
  leaveQueue(keys.queue, keys.alive, taker)
  if isNear then return token, number, waiters[2] ~= nil end
  publishHanded(channel, taker, waiters)
  return token
end

-- The live holds of an owner, and in how many milliseconds the last of them expires. Dead ones are removed if asked for.
local function surveyHolds(holds, longestMs, removeDead)
  local fields = redis.call('HGETALL', holds)
  local live, latest = 0, 0
  for at = 1, #fields, 2 do
    local leftMs = tonumber(fields[at + 1]) - now()
    if leftMs > longestMs then
      leftMs = longestMs
      redis.call('HSET', holds, fields[at], now() + leftMs)
    end
    if leftMs > 0 then live = live + 1 elseif removeDead then redis.call('HDEL', holds, fields[at]) end
    latest = math.max(latest, leftMs)
  end
  return live, latest
end
