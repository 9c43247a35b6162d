--- End an entry's time, but keep it for its grace; one that has none is removed. Supersedes any load under way.
-- @class idempotent
-- @batch
-- @include now
-- @include supersede
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @returns bool
supersede(value, lease, wakeChannel)
local head = redis.call('GETRANGE', value, 0, 6)
if head == '' then return 0 end
if #head < 7 or math.floor(string.byte(head) / 16) % 2 == 0 then return redis.call('DEL', value) end
if struct.unpack('>I6', head, 2) <= now() then return 0 end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now()))
return 1
