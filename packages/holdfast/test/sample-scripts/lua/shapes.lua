--- Writes a hash and a sorted set, and returns them as they come.
-- @class idempotent
-- @key hash
-- @key board
-- @arg ttlMs int
-- @arg pairs... bytes
-- @result shapes fields:map<int> ranking:rows<member:text,score:float> nested:list<list<int?>> nothing:bool
-- @result empty
if #pairs == 0 then return 'empty' end
redis.call('HSET', hash, unpack(pairs))
for i = 1, #pairs, 2 do redis.call('ZADD', board, pairs[i + 1], pairs[i]) end
redis.call('PEXPIRE', hash, ttlMs)
redis.call('PEXPIRE', board, ttlMs)
local ranking = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
return {'shapes', redis.call('HGETALL', hash), ranking, {{1, false, 3}, {}}, false}
