--- Removes members, from the present period of each window too; true for each that was on the board. `stale`: the server's time is not one that `windows` is for.
-- @class idempotent
-- @include now
-- @include board
-- @include writes
-- @key board
-- @key distinct
-- @key meta
-- @keys periods...      of the windows: board and distinct, alternating
-- @arg windows text     which times the periods are; empty without windows
-- @arg members... bytes
-- @result ok removed:list<bool>
-- @result stale at:int
local all = boardsOf(board, distinct, meta, false, windows, periods)
if not all then return {'stale', now()} end
local removed = {}
for at, member in ipairs(members) do
  for place, b in ipairs(all) do
    local before = redis.call('ZSCORE', b.board, member)
    if place == 1 then removed[at] = before ~= false end
    if before then
      redis.call('ZREM', b.board, member)
      if b.indexed then forget(b, before) end
      if b.described then redis.call('HDEL', b.meta, member) end
    end
  end
end
return {'ok', removed}
