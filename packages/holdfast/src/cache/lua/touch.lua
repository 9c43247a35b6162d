--- Begin an entry's time again, if it is not over.
-- @class idempotent
-- @batch
-- @include now
-- @key value
-- @arg freshMs int
-- @arg keepMs int        freshMs and the grace
-- @returns bool
local head = redis.call('GETRANGE', value, 0, 6)
if #head < 7 or struct.unpack('>I6', head, 2) <= now() then return 0 end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs))
redis.call('PEXPIRE', value, math.floor(string.byte(head) / 16) % 2 == 1 and keepMs or freshMs)
return 1
