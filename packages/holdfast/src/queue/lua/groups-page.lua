--- Groups by name, from behind `cursor`: those with jobs, limits or a pause.
-- @class read
-- @key known
-- @arg cursor text
-- @arg count int
-- @returns rows<group:text,waiting:int,running:int,limits:text,haltedMs:text,laterMs:text,dead:text>
local head, rows = string.sub(known, 1, -6), {}
for _, group in ipairs(redis.call('ZRANGE', known, '(' .. cursor, '+', 'BYLEX', 'LIMIT', 0, count)) do
  local at = #rows
  rows[at + 1], rows[at + 2] = group, redis.call('ZCARD', head .. 'group:' .. group)
  rows[at + 3] = redis.call('HGET', head .. 'places', 'r' .. group) or 0
  rows[at + 4] = redis.call('HGET', head .. 'limits', group) or ''
  rows[at + 5] = redis.call('ZSCORE', head .. 'halted', group) or ''
  rows[at + 6] = redis.call('ZSCORE', head .. 'later', group) or ''
  rows[at + 7] = redis.call('HGET', head .. 'heads', group) or ''
end
return rows
