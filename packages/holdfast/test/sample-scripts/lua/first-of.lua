--- The first member of a set of scores, if there is one: a batchable script whose reply may be nil.
-- @class read
-- @batch
-- @key board
-- @returns text?
return redis.call('ZRANGE', board, 0, 0)[1]
