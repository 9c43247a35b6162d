--- Drop an id from the index whose entry is gone, and the entry with it if it is the one that was found invalid.
-- @class idempotent
-- @batch 64
-- @include now
-- @include id-index
-- @key value
-- @key ids
-- @key ends
-- @arg id text
-- @arg mark bytes        how the invalid entry begins; empty: there was none
-- @returns bool
if mark ~= '' and redis.call('GETRANGE', value, 0, #mark - 1) == mark then redis.call('DEL', value) end
if redis.call('EXISTS', value) == 1 then return 0 end
unindex(value, ids, ends, id)
return 1
