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
-- @arg letters... text   redriven ones that are handled: name and token of each
-- @result ok
-- @result stale
-- @result lost
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
for at = 1, #letters, 2 do
  -- One that was dead again since, and put back again, has another token.
  if redis.call('ZSCORE', redriven, letters[at]) == letters[at + 1] then
    redis.call('ZREM', redriven, letters[at])
    redis.call('HDEL', records, letters[at])
  end
end
-- Its owner has said so.
if known[4] then redis.call('HDEL', state, 'lost') end
if tries ~= (known[3] or '') then redis.call('HSET', state, 'tries', tries) end
used(state, cursors, name, cursor, keepMs)
return 'ok'
