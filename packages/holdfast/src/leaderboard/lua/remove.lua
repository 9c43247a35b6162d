--- Removes members; true for each that was on it.
-- @class idempotent
-- @include board
-- @key board
-- @key distinct
-- @arg members... bytes
-- @returns list<bool>
local indexed = isIndexed(board, distinct, false)
local removed = {}
for at, member in ipairs(members) do
  local before = redis.call('ZSCORE', board, member)
  removed[at] = before ~= false
  if before then redis.call('ZREM', board, member) end
  if before and indexed then forget(board, distinct, before) end
end
return removed
