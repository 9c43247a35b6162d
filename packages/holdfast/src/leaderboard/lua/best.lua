--- Sets the scores of members where they are better than what they have.
-- @class unsafe
-- @include board
-- @key board
-- @key distinct
-- @arg maxSize int
-- @arg desc bool
-- @arg dense bool
-- @arg ttlMs int      0 for none
-- @arg renew bool     whether this write starts the time to live again
-- @arg entries... bytes   score and member, alternating
-- @returns rows<improved:bool,score:float,previous:float?>
local indexed = isIndexed(board, distinct, dense)
local rows = {}
for at = 2, #entries, 2 do
  local member, score = entries[at], tonumber(entries[at - 1])
  local before = redis.call('ZSCORE', board, member)
  local gain = before and score - before or 0
  local improved = not before or gain > 0 and desc or gain < 0 and not desc
  if improved then put(board, distinct, indexed, member, score, before) end
  rows[#rows + 1] = improved
  rows[#rows + 1] = improved and textOf(score) or before
  rows[#rows + 1] = before
end
if settle(board, distinct, indexed, maxSize, desc, ttlMs, renew) then
  for at = 2, #entries, 2 do
    if not redis.call('ZSCORE', board, entries[at]) then rows[at / 2 * 3 - 2] = false end
  end
end
return rows
