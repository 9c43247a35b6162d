--- Adds to a score unless `receipt` shows that it was done; then returns what the first time returned.
-- A refusal (nil) leaves no receipt: it changed nothing, so a repeat is decided again. `stale`: the server's time is not one that `windows` is for.
-- @class dedupable
-- @include now
-- @include board
-- @include writes
-- @key board
-- @key distinct
-- @key meta
-- @key receipt
-- @keys periods...      of the windows: board and distinct, alternating
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int        0 for none
-- @arg renew bool       whether this write starts the time to live again
-- @arg windows text     which times the periods are; empty without windows
-- @arg receiptTtlMs int
-- @arg unit int         what 1 of a score is where there are subscores
-- @arg by float
-- @arg member bytes
-- @arg bytes bytes      what to store with it; empty: as it is
-- @arg subscore text    empty: as it is
-- @result ok sum:float? opened:bool
-- @result stale at:int
local done = redis.call('GET', receipt)
if done then return {'ok', done, false} end
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local sum = add(all, member, by, unit, tonumber(subscore))
if not sum then return {'ok', false, false} end
redis.call('SET', receipt, sum, 'PX', receiptTtlMs)
local _, isOpened = settle(all, maxSize, desc, ttlMs, renew, bytes ~= '' and {member, bytes} or {})
return {'ok', sum, isOpened}
