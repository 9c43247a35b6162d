--- Schedules and their states, in the order asked.
-- @class read
-- @include now
-- @key states
-- @key schedules
-- @arg ids... text
-- @result ok nowMs:int states:list<text?> records:list<bytes?>
return {'ok', now(), redis.call('HMGET', states, unpack(ids)), redis.call('HMGET', schedules, unpack(ids))}
