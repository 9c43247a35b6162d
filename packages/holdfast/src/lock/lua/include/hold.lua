-- How long a lock lasts. Both keys have an expiry by the server's clock, which can be set back: the longest ttl that a
-- holder was granted is kept too, and nothing may last longer than that from now on.
-- `lock` is a hash: owner, fence, ttl, and for each hold its token with the time (ms) at which it expires.
-- `fence` is the last fence, and while the lock is held `<fence>:<ttl>` with an expiry of a day after the lock's: a lock
-- that was evicted under its holder is not granted again before that holder has lost it by its own clock.
-- Needs the include `now`.
local FENCE_TTL_MS = 86400000
-- Fields of `lock` that are no holds.
local HEAD_FIELDS = 3

-- The first write takes no memory, so the server lets the script go on although its memory is full.
local function keepFor(lock, fence, ttlMs)
  redis.call('PEXPIRE', lock, ttlMs, 'GT')
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + ttlMs, 'GT')
end

local function markHeld(fence, number, ttlMs)
  redis.call('SET', fence, string.format('%s:%.0f', number, ttlMs), 'PX', FENCE_TTL_MS + ttlMs)
end

local function markFree(fence, number)
  redis.call('SET', fence, number, 'PX', FENCE_TTL_MS)
end

-- Milliseconds until the holds expire: live ones, and the last of them. Dead ones are removed if asked for.
local function surveyHolds(lock, longestMs, removeDead)
  local fields = redis.call('HGETALL', lock)
  local live, latest = 0, 0
  for at = 1, #fields, 2 do
    local field = fields[at]
    if field ~= 'owner' and field ~= 'fence' and field ~= 'ttl' then
      local leftMs = tonumber(fields[at + 1]) - now()
      if leftMs > longestMs then
        leftMs = longestMs
        redis.call('HSET', lock, field, now() + leftMs)
      end
      if leftMs > 0 then live = live + 1 elseif removeDead then redis.call('HDEL', lock, field) end
      latest = math.max(latest, leftMs)
    end
  end
  return live, latest
end
