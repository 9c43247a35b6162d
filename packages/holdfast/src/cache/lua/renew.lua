--- Serve an entry for some time more, with the right to load, which is given back: its load has failed, or found nothing new.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include id-index
-- @key value
-- @key lease
-- @key ids
-- @key ends
-- @arg token text
-- @arg head bytes        of the entry as the loader knows it; another one is left as it is
-- @arg freshMs int       below 0: for ever
-- @arg keepMs int        0: as long as it would have been kept
-- @arg sequence bytes    see entry.ts
-- @arg wakeChannel text
-- @arg id text           for the index
-- @result renewed
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
redis.call('SETRANGE', value, 1, untilOf(freshMs) .. sequence)
if keepMs ~= 0 then index(value, ids, ends, id, keepMs) end
if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) elseif keepMs < 0 then redis.call('PERSIST', value) end
return {'renewed'}
