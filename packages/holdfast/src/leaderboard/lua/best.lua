--- Sets the scores of members where they are better than what they have. `stale`: the server's time is not one that `windows` is for.
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
-- @arg entries... bytes   score, member and, where it is not empty, what to store with it if it is better
-- @result ok rows:rows<improved:bool,score:float,previous:float?> opened:bool
-- @result stale at:int
local all = boardsOf(board, distinct, meta, dense, windows, periods)
if not all then return {'stale', now()} end
local rows, described = {}, {}
for at = 1, #entries, 3 do
  local score, member, bytes = tonumber(entries[at]), entries[at + 1], entries[at + 2]
  for place, b in ipairs(all) do
    local before = redis.call('ZSCORE', b.board, member)
    local gain = before and score - before or 0
    local improved = not before or gain > 0 and desc or gain < 0 and not desc
    local text = improved and put(b, member, score, before) or before
    if place == 1 then
      local row = #rows
      rows[row + 1], rows[row + 2], rows[row + 3] = improved, text, before
      if improved and bytes ~= '' then described[#described + 1], described[#described + 2] = member, bytes end
    end
  end
end
local isTrimmed, isOpened = settle(all, maxSize, desc, ttlMs, renew, described)
if isTrimmed then
  for at = 1, #entries, 3 do
    if not redis.call('ZSCORE', board, entries[at + 1]) then rows[at] = false end
  end
end
return {'ok', rows, isOpened}
