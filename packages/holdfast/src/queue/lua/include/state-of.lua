-- Where a job is: waiting, blocked, delayed (and until when), active (and since when, its fence), or dead (and since when).
-- Needs the include `worker-of`.
local function stateOf(jobs, id, record)
  local head = string.sub(jobs, 1, -5)
  local due = redis.call('ZSCORE', head .. 'delayed', string.sub(record, 14, 14) .. id)
  if due then return 'delayed', due end
  local died = redis.call('ZSCORE', head .. 'dead', id)
  if died then return 'dead', died end
  if redis.call('HEXISTS', head .. 'blocked', id) == 1 then return 'blocked', '0' end
  local worker, fence = workerOf(id, head .. 'workers', jobs)
  if worker then return 'active', fence end
  return 'waiting', '0'
end
-- A row of what is known of a job: its state, at, record, failures, crashes, progress, outcome, why it is dead without a run.
local function rowOf(jobs, meta, id, state, at, record)
  local known = redis.call('EXISTS', meta) == 1 and redis.call('HMGET', meta, 'f' .. id, 'c' .. id, 'p' .. id, 'r' .. id) or {}
  return state, string.format('%.0f', tonumber(at)), record, known[1] or '', string.format('%.0f', tonumber(known[2] or 0) % 1000000), known[3] or '', '', known[4] or ''
end
