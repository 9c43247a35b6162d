--- Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Wakes who waits longest.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @key lock
-- @key ended
-- @key queue
-- @key alive
-- @arg owner text
-- @arg token text
-- @arg abandon bool
-- @arg wakeChannel text
-- @result released
-- @result expired
-- @result stolen
-- `ended` has the tokens of the last holds that ended, 64 at least: a repeated release is told the truth, and a copy of an
-- acquire that arrives late takes nothing. Calls are repeated for seconds at most, so a minute is long enough.
local ENDED_TTL_MS = 60000
local MAX_ENDED = 128

local function remember()
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end

-- The owner's other holds keep the lock until the last of them ends.
local function drop()
  if redis.call('HLEN', lock) == 3 then return redis.call('DEL', lock) end
  redis.call('HDEL', lock, token)
  local fields = redis.call('HGETALL', lock)
  local latest = 0
  for at = 1, #fields, 2 do
    local field = fields[at]
    if field ~= 'owner' and field ~= 'fence' then latest = math.max(latest, tonumber(fields[at + 1])) end
  end
  redis.call('PEXPIREAT', lock, latest)
end

local state = redis.call('HMGET', lock, 'owner', token)
local holder, held = state[1], state[2]
if held then
  remember()
  drop()
  -- Also where others of the owner hold it still: its end may be nearer now than whoever waits has seen.
  wakeNext(queue, alive, wakeChannel)
  return {'released'}
end
if redis.call('LPOS', ended, token) then return {'released'} end
if abandon then
  remember()
  leaveQueue(queue, alive, token)
end
if not holder then
  wakeNext(queue, alive, wakeChannel)
  return {'expired'}
end
if holder ~= owner then return {'stolen'} end
return {'expired'}
