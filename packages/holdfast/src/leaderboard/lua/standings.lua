--- Where members stand: score (nil for one that is not on the board), rank, and how many others are worse and equal.
-- @class read
-- @include ranks
-- @key board
-- @key distinct
-- @key meta
-- @arg ties text
-- @arg desc bool
-- @arg described bool   whether what is stored with members is asked for
-- @arg members... bytes
-- @result standings total:int rows:rows<score:float?,rank:int,worse:int,equal:int> metas:list<bytes?>
local total = redis.call('ZCARD', board)
local rows = {}
for _, member in ipairs(members) do
  local score = redis.call('ZSCORE', board, member)
  local rank, worse, equal = 0, 0, 0
  if score then
    rank = rankOf(board, distinct, ties, desc, member, score)
    worse = countBetter(board, score, not desc)
    equal = total - worse - countBetter(board, score, desc) - 1
  end
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = score, rank, worse, equal
end
return {'standings', total, rows, described and redis.call('HMGET', meta, unpack(members)) or {}}
