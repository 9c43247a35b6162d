--- Moves a partition's cursor on, for its owner, from where the owner believes it to be, and settles what it has handled besides. `stale`: another owns it,
-- or the cursor was moved; `lost`: the log has other messages by now.
-- A failover may have lost the end of the log, and other messages may stand at the same offsets: so the message at the cursor must be
-- the one that was read.
-- @class idempotent
-- @include now
-- @include used-until
-- @key state
-- @key cursors
-- @key log
-- @key meta
-- @key redriven
-- @key records    of the dead letters
-- @arg name text
-- @arg fence int
-- @arg number int    of the commit, rising under one fence: by it one that is sent again is known
-- @arg expected int
-- @arg cursor int
-- @arg epoch int
-- @arg at int        when the message at the cursor was published; 0: it is not looked at
-- @arg keepMs int
-- @arg tries text    deliveries of what has failed and is not passed: `offset:n ...`
-- @arg letters int   redriven ones that are handled: name and token of each, at the beginning of `rest`
-- @arg sets int      of the subscription's state: so many fields with their values, behind them; the fields that go are the last
-- @arg names int     of the state, after that
-- @arg rest... bytes
-- @result ok
-- @result stale
-- @result lost
local CHUNK = 2000

local known = redis.call('HMGET', state, 'fence', 'cursor', 'tries', 'lost', 'commit')
if tonumber(known[1]) ~= fence then return 'stale' end
local last = tonumber(known[5]) or 0
if last == number then return 'ok' end
if last > number or tonumber(known[2]) ~= expected then return 'stale' end
if at > 0 then
  local entry = redis.call('XRANGE', log, cursor, '+', 'COUNT', 1)[1]
  if entry then
    local last, of = string.match(entry[1], '^(%d+)-(%d+)$')
    -- Else retention has removed it meanwhile.
    local isThere = tonumber(last) - tonumber(entry[2][4]) < cursor
    if isThere and (tonumber(of) ~= epoch or tonumber(entry[2][2]) ~= at) then return 'lost' end
  else
    local tail = redis.call('HMGET', meta, 'head', 'epoch')
    if tonumber(tail[1] or 0) < cursor or tonumber(tail[2]) ~= epoch then return 'lost' end
  end
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', epoch, 'commit', number)
local firstSet, firstDelete = letters * 2 + 1, (letters + sets) * 2 + 1
for at = 1, letters * 2, 2 do
  -- One that was dead again since, and put back again, has another token.
  if redis.call('ZSCORE', redriven, rest[at]) == rest[at + 1] then
    redis.call('ZREM', redriven, rest[at])
    redis.call('HDEL', records, rest[at])
  end
end
if #rest >= firstSet then
  redis.call('HSET', state, 'names', names)
  for at = firstSet, firstDelete - 1, CHUNK do redis.call('HSET', state, unpack(rest, at, math.min(at + CHUNK, firstDelete) - 1)) end
  for at = firstDelete, #rest, CHUNK do redis.call('HDEL', state, unpack(rest, at, math.min(at + CHUNK - 1, #rest))) end
end
-- Its owner has said so.
if known[4] then redis.call('HDEL', state, 'lost') end
if tries ~= (known[3] or '') then redis.call('HSET', state, 'tries', tries) end
used(state, cursors, name, cursor, keepMs)
return 'ok'
