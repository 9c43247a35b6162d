--- The handles of a user's live sessions.
-- @class read
-- @include now
-- @key index
-- @returns list<text>
return redis.call('ZRANGE', index, '(' .. now(), '+inf', 'BYSCORE')
