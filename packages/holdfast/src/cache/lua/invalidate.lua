--- Invalidate all entries of a cache that have one of these tags, or all of them. What is stored from now on has a greater sequence.
-- The state of a cache is one sorted set: `s` the sequence, `c` that of the last clearing, `f` the one below which no tag is known any more,
-- `t<tag>` that of the tag's last invalidation, `p` that of the last clearing of a prefix (clear-prefix.lua).
-- `lost`: memory is full, so that the state is forgotten instead, and every entry is invalid.
-- @class idempotent
-- @include now
-- @include taken
-- @include sequence
-- @key state
-- @arg keepMs int        how long the state outlives its last use
-- @arg max int           tags that are known at most
-- @arg tags... bytes     none: all entries
-- @result invalidated before:int sequence:int cleared:int floor:int
-- @result lost
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local sequence, text = nextSequence(known[1])
local cleared, floor = tonumber(known[2] or text), tonumber(known[3] or 0)
if #tags == 0 then cleared = sequence end
local scored = { text, 's', string.format('%.0f', cleared), 'c' }
for _, tag in ipairs(tags) do
  table.insert(scored, text)
  table.insert(scored, 't' .. tag)
end
if not taken('ZADD', state, unpack(scored)) then
  redis.call('DEL', state)
  return {'lost'}
end
local excess = redis.call('ZCARD', state) - max - 4
if excess > 0 then
  -- A tenth at once, so that not every call has to. A hundred at a time for the stack's sake.
  for _, member in ipairs(redis.call('ZRANGE', state, 0, math.min(excess + max / 10, 1000) + 3)) do
    if string.sub(member, 1, 1) == 't' then
      local score = tonumber(redis.call('ZSCORE', state, member))
      if score < sequence then
        floor = math.max(floor, score)
        redis.call('ZREM', state, member)
      end
    end
  end
  redis.call('ZADD', state, string.format('%.0f', floor), 'f')
end
keepState(state, not known[1], keepMs)
return {'invalidated', tonumber(known[1] or 0), sequence, cleared, floor}
