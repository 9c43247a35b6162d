--- Counts members.
-- @class unsafe
-- @include count
-- @key list             sorted set: members by their counts
-- @arg counters int     members that it has at most
-- @arg ttlMs int        from now; 0: none
-- @arg expiresAt int    instead, ms
-- @arg entries... text  a member, and how often
-- @result ok
for at = 1, #entries, 2 do count(list, entries[at], entries[at + 1], counters) end
expire(list, ttlMs, expiresAt)
return {'ok'}
