--- Removes members whose scores lie in a range, at most so many; returns how many it removed and how many are left to remove.
-- @class idempotent
-- @include board
-- @key board
-- @key distinct
-- @key meta
-- @arg low text         as ZCOUNT takes it
-- @arg high text
-- @arg below text       what is lower than `low`, as ZCOUNT takes it
-- @arg most int
-- @result ok removed:int left:int
local b = open(board, distinct, meta, false)
local count = redis.call('ZCOUNT', board, low, high)
if count == 0 then return {'ok', 0, 0} end
local first = low == '-inf' and 0 or redis.call('ZCOUNT', board, '-inf', below)
local removed = drop(b, first, first + math.min(count, most) - 1)
return {'ok', removed, count - removed}
