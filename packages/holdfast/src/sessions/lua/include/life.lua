--- When a session is alive, in one place for every script.
-- A session is a hash with `created`, `seen` (start of its idle time), `ends` (absolute), all in server milliseconds,
-- `version`, `ops` and `times` (recent patches), `user`, `device`, `from` (whose alias may open it), `late` (its creation
-- may arrive late: its creator's connection has no fence) and its data as `d:<field>`.
-- A user's session lives only while the user's index has it: taking it out of there ends it, whatever becomes of the hash.
-- One that is `pending` is not in the index yet.

-- A change whose answer was lost is sent again, and what was sent first may still arrive, this much later at the most.
local LATE_MS = 60000

--- `via` is the handle of the alias that led here, '' for none: it opens the session only while the session names it.
local function find(session, index, handle, idleMs, via)
  local found = redis.call('HMGET', session, 'seen', 'ends', 'version', 'user', 'alias', 'until', 'from')
  if found[6] and now() >= tonumber(found[6]) then return nil end
  if not found[1] then return nil, found[5] end
  if via and via ~= '' and found[7] ~= via then return nil end
  local state = { seen = tonumber(found[1]), ends = tonumber(found[2]), version = tonumber(found[3]), user = found[4] }
  if now() >= state.ends or now() - state.seen >= idleMs then return nil end
  if state.user and not redis.call('ZSCORE', index, handle) then return nil end
  return state
end

--- The index lives as long as the last session in it.
local function enlist(index, handle, expiresAt)
  redis.call('ZADD', index, expiresAt, handle)
  if redis.call('PEXPIRETIME', index) < expiresAt then redis.call('PEXPIREAT', index, expiresAt) end
end

local function keepUntil(session, index, handle, user, expiresAt)
  redis.call('PEXPIREAT', session, expiresAt)
  if user then enlist(index, handle, expiresAt) end
end

--- The handles that had to go, so that one more session is within the limit.
local function makeRoom(index, limit)
  local evicted = {}
  local surplus = redis.call('ZCARD', index) - limit + 1
  if surplus <= 0 then return evicted end
  local ended = redis.call('ZPOPMIN', index, surplus)
  for i = 1, #ended, 2 do evicted[#evicted + 1] = ended[i] end
  return evicted
end

--- Take away the session at a key. A young one whose creation may arrive late leaves a mark, which keeps that from reviving it.
local function bury(session)
  local found = redis.call('HMGET', session, 'created', 'late')
  if not found[1] then return end
  redis.call('DEL', session)
  if not found[2] or now() - found[1] >= LATE_MS then return end
  redis.call('HSET', session, 'gone', 1)
  redis.call('PEXPIRE', session, LATE_MS)
end

--- Restart the idle time when that is due; false where the server takes no writes, which is no reason to refuse a read.
-- PEXPIREAT comes first: it needs no memory. Needs the include `taken`.
local function touch(session, index, handle, idleMs, touchMs, state)
  if now() - state.seen < touchMs then return true end
  local expiresAt = math.min(now() + idleMs, state.ends)
  if not taken('PEXPIREAT', session, expiresAt) then return false end
  if not taken('HSET', session, 'seen', now()) then return false end
  if state.user then enlist(index, handle, expiresAt) end
  return true
end
