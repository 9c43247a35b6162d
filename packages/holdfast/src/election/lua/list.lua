--- The live candidates in their order.
-- @class read
-- @include now
-- @include term
-- @include candidates
-- @key queue
-- @key candidates
-- @arg limit int
-- @returns rows<id:text,since:int>
local rows = {}
for _, token in ipairs(redis.call('ZRANGE', queue, 0, limit - 1)) do
  local untilMs, since, id = candidateOf(candidates, token)
  if isLive(untilMs) then
    rows[#rows + 1] = id
    rows[#rows + 1] = since
  end
end
return rows
