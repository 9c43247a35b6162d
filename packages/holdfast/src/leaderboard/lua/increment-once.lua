--- Adds to a score unless `receipt` shows that it was done; then returns what the first time returned.
-- A refusal (nil) leaves no receipt: it changed nothing, so a repeat is decided again.
-- @class dedupable
-- @include board
-- @key board
-- @key distinct
-- @key receipt
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int      0 for none
-- @arg renew bool     whether this write starts the time to live again
-- @arg receiptTtlMs int
-- @arg by float
-- @arg member bytes
-- @returns float?
local done = redis.call('GET', receipt)
if done then return done end
local indexed = isIndexed(board, distinct, dense)
local sum = add(board, distinct, indexed, member, by)
if not sum then return false end
redis.call('SET', receipt, sum, 'PX', receiptTtlMs)
settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
return sum
