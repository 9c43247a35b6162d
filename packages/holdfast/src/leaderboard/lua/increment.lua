--- Adds to scores; nil for a sum beyond 2^53 - 1, which is not stored. `stale`: the server's time is not one that `windows` is for.
-- @class unsafe
-- @include now
-- @include board
-- @include writes
-- @key board
-- @key distinct
-- @key meta
-- @keys periods...      of the windows: board and distinct, alternating
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int        0 for none
-- @arg renew bool       whether this write starts the time to live again
-- @arg windows text     which times the periods are; empty without windows
-- @arg unit int         what 1 of a score is where there are subscores
-- @arg entries... bytes   what to add, member, what to store with it and its subscore; those are empty where they stay as they are
-- @result ok sums:list<float?> opened:bool
-- @result stale at:int
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local sums, described = {}, {}
for at = 1, #entries, 4 do
  local member, bytes = entries[at + 1], entries[at + 2]
  local sum = add(all, member, tonumber(entries[at]), unit, tonumber(entries[at + 3]))
  sums[#sums + 1] = sum
  if sum and bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
end
local _, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
return {'ok', sums, isOpened}
