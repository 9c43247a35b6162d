--- The values of many keys.
-- @class read
-- @keys names...
-- @returns list<bytes?>
return redis.call('MGET', unpack(names))
