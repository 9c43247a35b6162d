--- The score of whoever stands at a percentile, by nearest rank: at least `percentile` of the members are no better. Nil on an empty board.
-- @class read
-- @key board
-- @arg desc bool
-- @arg percentile float   0 to 100
-- @returns float?
local total = redis.call('ZCARD', board)
if total == 0 then return false end
-- 16.1 % of 1000 are 161.00000000000003 by the arithmetic of doubles, and 161 are meant.
local ROUNDING = 1 - 1e-15
local place = math.max(math.ceil(percentile * total / 100 * ROUNDING), 1) - 1
return redis.call(desc and 'ZRANGE' or 'ZREVRANGE', board, place, place, 'WITHSCORES')[2]
