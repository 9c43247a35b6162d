-- Where a job is: waiting, blocked, unhandled, delayed (and until when), active (and since when, its fence), or dead (and since when).
-- Needs the includes `worker-of` and `options`.
local function stateOf(jobs, id, record)
  local head = string.sub(jobs, 1, -5)
  local due = redis.call('ZSCORE', head .. 'delayed', string.sub(record, 14, 14) .. id)
  if due then return 'delayed', due end
  local died = redis.call('ZSCORE', head .. 'dead', id)
  if died then return 'dead', died end
  if redis.call('HEXISTS', head .. 'blocked', id) == 1 then return 'blocked', '0' end
  local worker, fence = workerOf(id, head .. 'workers', jobs)
  if worker then return 'active', fence end
  if isUnhandled(head, id, record) then return 'unhandled', '0' end
  return 'waiting', '0'
end
-- Rows of what is known of jobs, one behind the other: state, at, record, failures, crashes, progress, outcome, why it is dead without a run.
local function rowsOf(meta, state, ids, times, records)
  local fields, rows, known = {}, {}, {}
  if #ids > 0 and redis.call('EXISTS', meta) == 1 then
    for at, id in ipairs(ids) do
      local to = at * 4
      fields[to - 3], fields[to - 2], fields[to - 1], fields[to] = 'f' .. id, 'c' .. id, 'p' .. id, 'r' .. id
    end
    known = redis.call('HMGET', meta, unpack(fields))
  end
  for at in ipairs(ids) do
    local to, from = at * 8, at * 4
    rows[to - 7], rows[to - 6], rows[to - 5] = state, string.format('%.0f', tonumber(times[at])), records[at]
    rows[to - 4], rows[to - 3] = known[from - 3] or '', string.format('%.0f', tonumber(known[from - 2] or 0) % 1000000)
    rows[to - 2], rows[to - 1], rows[to] = known[from - 1] or '', '', known[from] or ''
  end
  return rows
end
