--- A part of the board by position, or of the part of it whose scores lie in a range; `total` is of that part.
-- @class read
-- @include ranks
-- @key board
-- @key distinct
-- @key meta
-- @arg ties text
-- @arg desc bool
-- @arg described bool   whether what is stored with members is asked for
-- @arg low text         as ZCOUNT takes it; empty: the whole board
-- @arg high text
-- @arg better text      what is better than the range, as ZCOUNT takes its end
-- @arg offset int
-- @arg limit int
-- @result window total:int position:int rank:int rows:rows<member:text,score:float> metas:list<bytes?>
if low == '' then
  return window(board, distinct, meta, ties, desc, described, redis.call('ZCARD', board), offset, limit)
end
local count = redis.call('ZCOUNT', board, low, high)
local before = redis.call('ZCOUNT', board, desc and better or '-inf', desc and '+inf' or better)
return window(board, distinct, meta, ties, desc, described, count, before + offset, math.min(limit, math.max(count - offset, 0)))
