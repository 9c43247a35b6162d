--- Invalidate all entries of a cache whose ids begin with a prefix, whatever their number. What is stored from now on has a greater sequence.
-- `prefixes` has each prefix by the sequence of its last clearing, and the state (see invalidate.lua) the greatest of these as `p`: where the one is missing
-- without the other, it was evicted, and all that is older counts as cleared. So does what is older than a prefix that is forgotten.
-- @class idempotent
-- @include now
-- @include taken
-- @include sequence
-- @key state
-- @key prefixes
-- @arg keepMs int
-- @arg max int           prefixes that are known at most
-- @arg prefix bytes
-- @result cleared before:int sequence:int cleared:int floor:int
-- @result lost
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local sequence, text = nextSequence(known[1])
local cleared = known[2] or text
if not taken('ZADD', state, text, 's', cleared, 'c', text, 'p') or not taken('ZADD', prefixes, text, prefix) then
  redis.call('DEL', state, prefixes)
  return {'lost'}
end
local excess = redis.call('ZCARD', prefixes) - max
if excess > 0 then
  -- A tenth at once, so that not every call has to.
  local gone = redis.call('ZPOPMIN', prefixes, excess + math.floor(max / 10))
  if tonumber(gone[#gone]) > tonumber(cleared) then cleared = gone[#gone] end
  redis.call('ZADD', state, cleared, 'c')
end
keepState(state, not known[1], keepMs)
local leftMs = redis.call('PTTL', state)
if leftMs < 0 then redis.call('PERSIST', prefixes) else redis.call('PEXPIRE', prefixes, leftMs) end
return {'cleared', tonumber(known[1] or 0), sequence, tonumber(cleared), tonumber(known[3] or 0)}
