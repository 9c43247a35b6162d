--- Moves a partition's cursor on, for its owner, from where the owner believes it to be. `stale`: another owns it, or the cursor was moved;
-- `lost`: the log has other messages by now.
-- A failover may have lost the end of the log, and other messages may stand at the same offsets: so the message at the cursor must be
-- the one that was read.
-- @class idempotent
-- @include now
-- @include used-until
-- @key state
-- @key cursors
-- @key log
-- @key meta
-- @arg name text
-- @arg fence int
-- @arg expected int
-- @arg cursor int
-- @arg epoch int
-- @arg at int        when the message at the cursor was published; 0: it is not looked at
-- @arg keepMs int
-- @arg tries text    deliveries of what has failed and is not passed: `offset:n ...`
-- @result ok
-- @result stale
-- @result lost
local known = redis.call('HMGET', state, 'fence', 'cursor', 'tries', 'lost')
local stored = tonumber(known[2])
if tonumber(known[1]) ~= fence or (stored ~= expected and stored ~= cursor) then return 'stale' end
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
redis.call('HSET', state, 'cursor', cursor, 'epoch', epoch)
-- Its owner has said so.
if known[4] then redis.call('HDEL', state, 'lost') end
if tries ~= (known[3] or '') then redis.call('HSET', state, 'tries', tries) end
used(state, cursors, name, cursor, keepMs)
return 'ok'
