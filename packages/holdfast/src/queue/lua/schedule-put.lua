--- Store a schedule and when it is due next, if its state is still what the caller saw (empty: there was none). Tickers that
-- sleep until a later one is due are woken.
-- @class idempotent
-- @key ticks
-- @key states
-- @key schedules
-- @key names
-- @arg channel text
-- @arg wakeKey text
-- @arg id text
-- @arg seen text
-- @arg state text
-- @arg due text       milliseconds since 1970, or +inf
-- @arg record bytes   empty: as it is
-- @result ok
-- @result conflict
local before = redis.call('HGET', states, id) or ''
-- Its version is this call's own: a repetition has found what it wrote.
if before == state then return 'ok' end
if before ~= seen then return 'conflict' end
local first = redis.call('ZRANGE', ticks, 0, 0, 'WITHSCORES')[2]
if record ~= '' then redis.call('HSET', schedules, id, record) end
redis.call('HSET', states, id, state)
redis.call('ZADD', names, 0, id)
redis.call('ZADD', ticks, due, id)
if due ~= '+inf' and (not first or tonumber(due) < tonumber(first)) then redis.call('PUBLISH', channel, wakeKey) end
return 'ok'
