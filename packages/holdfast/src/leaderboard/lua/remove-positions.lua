--- Removes whoever stands at these positions, at most so many of them and the worst first; returns how many it removed.
-- @class unsafe
-- @include board
-- @key board
-- @key distinct
-- @key meta
-- @arg desc bool
-- @arg from int         0 for the best
-- @arg to int           the last
-- @arg most int
-- @returns int
local b = open(board, distinct, meta, false)
local total = redis.call('ZCARD', board)
local last = math.min(to, total - 1)
local first = math.max(from, last - most + 1)
if first > last then return 0 end
if desc then return drop(b, total - 1 - last, total - 1 - first) end
return drop(b, first, last)
