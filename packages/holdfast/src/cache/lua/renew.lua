--- Serve an entry for some time more, with the right to load, which is given back: its load has failed, or found nothing new.
-- @class idempotent
-- @batch
-- @include now
-- @key value
-- @key lease
-- @arg token text
-- @arg head bytes        of the entry as the loader knows it; another one is left as it is
-- @arg freshMs int
-- @arg keepMs int        0: as long as it would have been kept
-- @arg sequence bytes    see entry.ts
-- @arg wakeChannel text
-- @result renewed
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs) .. sequence)
if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) end
return {'renewed'}
