--- Add entries to a partition of an index, and notice when it was evicted: its members `\0` and `\0!<time>` say "begun" and "lost".
-- @class idempotent
-- @batch 48
-- @include now
-- @key index
-- @key born              there as long as the index ought to be
-- @arg ttlMs int
-- @arg isLost bool       whether entries are known to be missing
-- @arg layout json       lengths of the entries
-- @arg payload bytes     the entries, one after the other
-- @returns bool          whether it is whole, as far as is known
local members, at = {}, 1
for i = 1, #layout do
  members[#members + 1] = 0
  members[#members + 1] = string.sub(payload, at, at + layout[i] - 1)
  at = at + layout[i]
end
local isEvicted = false
if not redis.call('ZSCORE', index, '\0') then
  isEvicted = redis.call('EXISTS', born) == 1
  redis.call('ZADD', index, 0, '\0')
end
local isMarked = redis.call('ZLEXCOUNT', index, '[\0!', '(\1') > 0
if isEvicted or (isLost and not isMarked) then
  redis.call('ZADD', index, 0, string.format('\0!%015.0f', now()))
  isMarked = true
end
for i = 1, #members, 2000 do
  redis.call('ZADD', index, unpack(members, i, math.min(i + 1999, #members)))
end
-- At the same moment, so that the end of an index is never taken for its eviction.
local expiresAt = now() + ttlMs
redis.call('SET', born, '1', 'PXAT', expiresAt)
redis.call('PEXPIREAT', index, expiresAt)
return not isMarked
