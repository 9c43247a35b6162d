--- Move an entry behind an invalidation that came while it was being stored.
-- @class idempotent
-- @batch 64
-- @key value
-- @arg head bytes        of the entry as it was stored, from its sequence on
-- @arg sequence bytes
-- @returns bool
if redis.call('GETRANGE', value, 7, 6 + #head) ~= head then return 0 end
redis.call('SETRANGE', value, 7, sequence)
return 1
