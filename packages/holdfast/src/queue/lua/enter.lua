--- Add jobs whose unique keys do more than keep others out. Where the job that has the key
-- waits or is delayed: `p` (replace) and `c` (cancel the running one) put this one's record and time in its place; `r` (rerun) leaves it.
-- runs, or sleeps between its steps: `p` leaves it; `r` has this one wait for its end, in place of another one that does so; `c` cancels it, and this one takes the key.
-- A repetition of the call (`operation` is known) changes nothing and is answered like the first time: a status and an id per job.
-- @class dedupable
-- @include now
-- @include idle
-- @include worker-of
-- @include options
-- @include events
-- @include groups
-- @include place
-- @include ghosts
-- @include unplace
-- @include letters
-- @include forget
-- @include give-up
-- @include begun
-- @include cancelled
-- @include cancel-job
-- @key operation
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key unique
-- @key windows
-- @key reruns
-- @key workers
-- @key idle
-- @arg operationTtlMs int
-- @arg channel text
-- @arg keepMs int       for how long the outcome of a cancelled one waits to be read
-- @arg outcome bytes    of a cancelled one
-- @arg fields... bytes  of each job: id, lane, due (empty, +milliseconds from now, or milliseconds since 1970), unique key, mode, record without the time
-- @returns list<text>
local before = redis.call('GET', operation)
if before then return cjson.decode(before) end
local stamp, head = string.format('%013.0f', now()), string.sub(jobs, 1, -5)
local keys = {
  jobs = jobs, meta = meta, dead = head .. 'dead', unique = unique, workers = workers, idle = idle, letters = head .. 'letters',
  lanes = {urgent, normal, low},
}
local function enter(id, record, due)
  redis.call('HSET', jobs, id, record)
  if due == '' then
    if place(jobs, {urgent, normal, low}, record, id) then wakeWorkers(idle, channel, 1) end
    return
  end
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  local dueMs = string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due)
  redis.call('ZADD', delayed, dueMs, string.sub(record, 14, 14) .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
end
local function replace(id, lane, due, rest)
  local old = redis.call('HGET', jobs, id)
  local new = string.sub(old, 1, 13) .. lane .. rest
  local isThere = due == '' and string.sub(old, 14, 14) == lane and optionsOf(old).g == optionsOf(new).g
    and not redis.call('ZSCORE', delayed, lane .. id)
    and not isUnhandled(string.sub(jobs, 1, -5), id, old)
  if isThere then return redis.call('HSET', jobs, id, new) end
  unplace(jobs, id, old)
  enter(id, new, due)
end
local answers = {}
for at = 1, #fields, 6 do
  local id, lane, due, key, mode, rest = unpack(fields, at, at + 5)
  local window = redis.call('ZSCORE', windows, key)
  local holder = redis.call('HGET', unique, key)
  local isOpen = window and tonumber(window) > now()
  if holder and not isOpen and (window or redis.call('HEXISTS', jobs, holder) == 0) then holder = nil end
  local lives = holder and redis.call('HEXISTS', jobs, holder) == 1
  local worker = lives and workerOf(holder, workers, jobs)
  local isUnderWay = worker or lives and hasBegun(jobs, meta, holder)
  local status, as = 'ok', id
  if redis.call('HEXISTS', jobs, id) == 1 then
    status = 'duplicate'
  elseif lives and not isUnderWay and mode ~= 'r' then
    status, as = 'replaced', holder
    replace(holder, lane, due, rest)
  elseif holder and not isUnderWay or isUnderWay and mode == 'p' then
    status, as = 'duplicate', holder
  elseif isUnderWay and mode == 'r' then
    local next_ = redis.call('HGET', reruns, key)
    local old = next_ and redis.call('HGET', jobs, next_)
    if old then
      status, as = 'replaced', next_
      redis.call('HSET', jobs, next_, string.sub(old, 1, 13) .. lane .. rest)
    else
      redis.call('HSET', jobs, id, stamp .. lane .. rest)
      redis.call('HSET', reruns, key, id)
    end
  else
    redis.call('HSET', unique, key, id)
    -- Else its time would free the key of one that lives.
    redis.call('ZREM', windows, key)
    if isUnderWay then cancelJob(keys, channel, holder, redis.call('HGET', jobs, holder), keepMs, outcome) end
    enter(id, stamp .. lane .. rest, due)
  end
  if status ~= 'duplicate' then noteEvent(jobs, channel, status == 'ok' and 'added' or 'updated', as, stamp .. lane .. rest) end
  answers[#answers + 1] = status
  answers[#answers + 1] = as
end
redis.call('SET', operation, cjson.encode(answers), 'PX', operationTtlMs)
return answers
