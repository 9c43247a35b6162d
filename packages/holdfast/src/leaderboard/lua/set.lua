--- Sets the scores of members; false for each that fell off a full board.
-- @class idempotent
-- @include board
-- @key board
-- @key distinct
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int      0 for none
-- @arg renew bool     whether this write starts the time to live again
-- @arg entries... bytes   score and member, alternating
-- @returns list<bool>
local indexed = isIndexed(board, distinct, dense)
local members, kept = {}, {}
for at = 2, #entries, 2 do members[at / 2], kept[at / 2] = entries[at], true end
if indexed then
  for at, member in ipairs(members) do
    put(board, distinct, true, member, entries[at * 2 - 1], redis.call('ZSCORE', board, member))
  end
else
  redis.call('ZADD', board, unpack(entries))
end
if settle(board, distinct, indexed, maxSize, desc, ttlMs, renew) then
  for at, score in ipairs(redis.call('ZMSCORE', board, unpack(members))) do kept[at] = score ~= false end
end
return kept
