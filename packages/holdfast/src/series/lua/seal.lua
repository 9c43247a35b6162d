--- Puts what a period's points became in their place, if they are still the ones that were read.
-- @class idempotent
-- @key open
-- @key sealed
-- @keys rollups...
-- @arg openBytes int       that were read
-- @arg sealedBefore bytes  the head of the sealed chunk that was read; empty: there was none
-- @arg sealedAfter bytes
-- @arg expiresAt int       of the sealed chunk, ms
-- @arg field text          of the hashes of the roll-ups
-- @arg rolled... bytes     for each of the roll-ups its summaries and, as text, the time (ms) at which it expires
-- @result ok
-- @result changed
if redis.call('STRLEN', open) ~= openBytes then return {'changed'} end
if redis.call('GETRANGE', sealed, 0, 4) ~= sealedBefore then return {'changed'} end
redis.call('SET', sealed, sealedAfter, 'PXAT', expiresAt)
for at, rollup in ipairs(rollups) do
  redis.call('HSET', rollup, field, rolled[2 * at - 1])
  redis.call('PEXPIREAT', rollup, rolled[2 * at])
end
redis.call('UNLINK', open)
return {'ok'}
