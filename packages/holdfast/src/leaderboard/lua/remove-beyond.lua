--- Removes the worst members until there are `keep`, at most so many; returns how many it removed and how many are left to remove.
-- @class idempotent
-- @include board
-- @key board
-- @key distinct
-- @key meta
-- @arg desc bool
-- @arg keep int
-- @arg most int
-- @result ok removed:int left:int
local b = open(board, distinct, meta, false)
local removed = trim(b, keep, desc, most)
return {'ok', removed, math.max(redis.call('ZCARD', board) - keep, 0)}
