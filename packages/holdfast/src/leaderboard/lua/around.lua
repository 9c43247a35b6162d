--- A member and up to `distance` entries on either side.
-- @class read
-- @include ranks
-- @key board
-- @key distinct
-- @arg ties text
-- @arg desc bool
-- @arg distance int
-- @arg member bytes
-- @result window total:int position:int rank:int rows:rows<member:text,score:float>
-- @result missing
local before = redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member)
if not before then return 'missing' end
local offset = math.max(0, before - distance)
return window(board, distinct, ties, desc, offset, before - offset + distance + 1)
