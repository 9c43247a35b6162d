--- Sets the scores of members; false for each that fell off a full board. `stale`: the server's time is not one that `windows` is for.
-- @class idempotent
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
-- @arg width int        of an entry: 2, or 3 with what is stored with it
-- @arg entries... bytes   score, member and, where it is not empty, what to store with it
-- @result ok kept:list<bool> opened:bool
-- @result stale at:int
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local members, kept, pairs, described = {}, {}, entries, {}
if width == 3 then pairs = {} end
for at = 1, #entries, width do
  local member, bytes = entries[at + 1], width == 3 and entries[at + 2] or ''
  members[#members + 1], kept[#kept + 1] = member, true
  if width == 3 then pairs[#pairs + 1], pairs[#pairs + 2] = entries[at], member end
  if bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
end
for _, b in ipairs(all) do
  if b.indexed then
    for at, member in ipairs(members) do
      put(b, member, pairs[at * 2 - 1], redis.call('ZSCORE', b.board, member))
    end
  else
    redis.call('ZADD', b.board, unpack(pairs))
  end
end
local isTrimmed, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
if isTrimmed then
  for at, score in ipairs(redis.call('ZMSCORE', board, unpack(members))) do kept[at] = score ~= false end
end
return {'ok', kept, isOpened}
