--- Where a member with this score stands among the members of this board, on which it need not be, and up to `distance` entries on either
-- side of that place: for a board that is spread over several.
-- @class read
-- @batch
-- @include ranks
-- @key board
-- @key distinct
-- @key meta
-- @arg desc bool
-- @arg described bool   whether what is stored with members is asked for
-- @arg member bytes
-- @arg score text
-- @arg exact bool       whether the place among equal scores is asked for, by the bytes of the names
-- @arg distance int     0: no entries
-- @result place total:int better:int worse:int before:int rows:rows<member:text,score:float> metas:list<bytes?>
local function isBelow(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local total = redis.call('ZCARD', board)
local better, worse = countBetter(board, score, desc), countBetter(board, score, not desc)
local before = 0
if exact then
  -- Positions from the lowest; those with the score are `low` to `high - 1`, in the order of their bytes.
  local low = desc and worse or better
  local first, high = low, total - (desc and better or worse)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBelow(redis.call('ZRANGE', board, middle, middle)[1], member) then low = middle + 1 else high = middle end
  end
  before = low - first
  if desc then
    -- Those above the name, which come first.
    local ties = total - better - worse - before
    if redis.call('ZRANGE', board, low, low)[1] == member then ties = ties - 1 end
    before = ties
  end
end
local rows = {}
if distance > 0 then
  local at = better + before
  rows = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, math.max(at - distance, 0), at + distance, 'WITHSCORES')
end
return {'place', total, better, worse, before, rows, metaOf(meta, described, rows)}
