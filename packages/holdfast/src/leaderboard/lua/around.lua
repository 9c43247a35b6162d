--- A member and up to `distance` entries on either side.
-- @class read
-- @include ranks
-- @key board
-- @key distinct
-- @key meta
-- @arg ties text
-- @arg desc bool
-- @arg described bool   whether what is stored with members is asked for
-- @arg distance int
-- @arg member bytes
-- @result window total:int position:int rank:int rows:rows<member:text,score:float> metas:list<bytes?>
-- @result missing
local before = redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member)
if not before then return 'missing' end
local offset = math.max(0, before - distance)
local total = redis.call('ZCARD', board)
return window(board, distinct, meta, ties, desc, described, total, offset, before - offset + distance + 1)
