--- Let jobs wait for more others, and write down the others: one that runs (`fence` is not 0), or those of some that wait still.
-- @class idempotent
-- @include now
-- @include pending
-- @include block
-- @key jobs
-- @key meta
-- @key blocked
-- @key active
-- @key letters
-- @key plan
-- @key staged          those that they wait for, of a plan that was written down before
-- @arg fence int
-- @arg parents json    ids
-- @arg open text       a reference for which they must wait still; or empty
-- @arg batch text      the key that says that their batch is open, or empty
-- @arg openMs int
-- @arg waits json      references and names, alternating; of each of the parents
-- @arg letter text
-- @arg written int     how many jobs of the plan were written down before; 0: none, it comes with this call
-- @arg links int       and how many they wait for
-- @arg first text      the first reference of these
-- @arg nodes... bytes
-- @result ok
-- @result stale
-- @result lost
local function mayWait(id)
  if fence ~= 0 then
    local held = redis.call('ZSCORE', active, id)
    -- Nothing is added by a job that is cancelled: those that it waits for may be cancelled already.
    return held and tonumber(held) == fence and redis.call('HEXISTS', meta, 'x' .. id) == 0
  end
  if redis.call('HEXISTS', blocked, id) == 0 then return false end
  if open == '' then return true end
  local waits = redis.call('HGET', string.sub(jobs, 1, -5) .. 'children:' .. id, open)
  return waits and string.sub(waits, 1, 1) == '?'
end
local ids, fresh, isRepeated = {}, 0, false
for _, id in ipairs(parents) do
  if mayWait(id) then
    ids[#ids + 1] = id
    isRepeated = isRepeated or redis.call('HEXISTS', string.sub(jobs, 1, -5) .. 'children:' .. id, first) == 1
  end
end
if #ids == 0 then return 'stale' end
if written > 0 and isRepeated then return 'ok' end
if written > 0 and (redis.call('LLEN', plan) ~= written or redis.call('HLEN', staged) ~= links) then return 'lost' end
for at, id in ipairs(ids) do
  local own = written > 0 and staged
  if own and at < #ids then
    own = staged .. ':' .. at
    redis.call('COPY', staged, own, 'REPLACE')
  end
  fresh = fresh + block(jobs, meta, blocked, id, waits, fence ~= 0, own, links)
end
if fresh > 0 and (#nodes > 0 or written > 0) then
  for at = 1, #nodes, 500 do redis.call('RPUSH', plan, unpack(nodes, at, math.min(at + 499, #nodes))) end
  redis.call('PERSIST', plan)
  redis.call('HSET', letters, letter, now())
end
if batch ~= '' then redis.call('PEXPIRE', batch, openMs) end
return 'ok'
