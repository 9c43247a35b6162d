--- Ends the filling of an inbox that is still the one that was begun.
-- @class idempotent
-- @key inbox
-- @arg mark text
-- @arg floor text     all entries after this time (us) are there
-- @arg size int
-- @arg entries... bytes   time and id, alternating, the newest first
-- @result ok
-- @result changed
if redis.call('ZRANGE', inbox, -1, -1)[1] ~= mark then return {'changed'} end
-- What was pushed meanwhile takes room of the oldest, so that there are never more members than in a listpack.
local room = math.max(size + 1 - redis.call('ZCARD', inbox), 0)
if #entries > 2 * room then
  floor = entries[2 * room + 1]
  entries = {unpack(entries, 1, 2 * room)}
end
if #entries > 0 then redis.call('ZADD', inbox, unpack(entries)) end
-- In this order: a key that is empty in between has lost its time to live.
redis.call('ZADD', inbox, '+inf', '!' .. floor)
redis.call('ZREM', inbox, mark)
redis.call('ZREMRANGEBYRANK', inbox, 0, -size - 2)
return {'ok'}
