--- Let jobs wait for more others, and write down the others: one that runs (`fence` is not 0) or some that wait already.
-- @class idempotent
-- @include now
-- @include block
-- @key jobs
-- @key meta
-- @key blocked
-- @key active
-- @key letters
-- @key plan
-- @arg fence int
-- @arg parents json    ids
-- @arg open text       a reference for which they must wait still; or empty
-- @arg waits json      references and names, alternating; of each of the parents
-- @arg letter text
-- @arg nodes... bytes
-- @result ok
-- @result stale
for _, id in ipairs(parents) do
  local held = fence ~= 0 and redis.call('ZSCORE', active, id)
  if fence ~= 0 and (not held or tonumber(held) ~= fence) then return 'stale' end
  if fence == 0 and redis.call('HEXISTS', blocked, id) == 0 then return 'stale' end
  if open ~= '' then
    local waits = redis.call('HGET', string.sub(jobs, 1, -5) .. 'children:' .. id, open)
    if not waits or string.sub(waits, 1, 1) ~= '?' then return 'stale' end
  end
end
local fresh = 0
for _, id in ipairs(parents) do fresh = fresh + block(jobs, meta, blocked, id, waits, fence ~= 0) end
if fresh > 0 and #nodes > 0 then
  for at = 1, #nodes, 500 do redis.call('RPUSH', plan, unpack(nodes, at, math.min(at + 499, #nodes))) end
  redis.call('HSET', letters, letter, now())
end
return 'ok'
