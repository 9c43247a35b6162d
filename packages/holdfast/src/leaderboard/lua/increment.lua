--- Adds to scores; nil for a sum beyond 2^53 - 1, which is not stored.
-- @class unsafe
-- @include board
-- @key board
-- @key distinct
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int      0 for none
-- @arg renew bool     whether this write starts the time to live again
-- @arg entries... bytes   what to add and member, alternating
-- @returns list<float?>
local indexed = isIndexed(board, distinct, dense)
local sums = {}
for at = 2, #entries, 2 do
  sums[at / 2] = add(board, distinct, indexed, entries[at], tonumber(entries[at - 1]))
end
settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
return sums
