--- Acknowledge jobs that are done and claim others, in one step; and say that this worker lives.
-- A job is its worker's by its place in `active`, whose score is the fence: the server's time of the claim in
-- microseconds. An acknowledgement with another fence is of a claim that is over and changes nothing; its id is in `stale`.
-- `held` counts what the worker holds after the call. `cancels`: since when there is a cancelled one among it, 0: there is none.
-- `dead` names a worker whose lease is over, if it was asked for.
-- @class unsafe
-- @include now
-- @include idle
-- @include forget
-- @include remembered
-- @include options
-- @include worker-of
-- @include ghosts
-- @include cancelled
-- @include rules-begin
-- @include groups
-- @include rate
-- @include take
-- @include runs
-- @include heal
-- @include rules-end
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key active
-- @key workers
-- @key idle
-- @key control
-- @key unique
-- @key letters
-- @arg worker text
-- @arg slots int       how many jobs it can take
-- @arg leaseMs int     for how long it is believed to live
-- @arg idleMs int      for how long it will listen where there is nothing to do; 0: it does not listen
-- @arg sweep bool      look for a worker whose lease is over, for letters that lie about, and for jobs of names that their workers did not know
-- @arg channel text
-- @arg wakeKey text    what it listens for
-- @arg uniques int     unique keys that are free with the acknowledgements
-- @arg done... text   first those keys, each with its job's id; then, for each claim: its fence, how many of its jobs are done, their ids
-- @result ok stale:list<text> held:int fence:int dueMs:int cancels:int dead:list<text> ids:list<text> records:list<bytes?> failures:list<bytes?> crashed:list<text?> letters:int unhandled:int
local lanes, head = {urgent, normal, low}, string.sub(jobs, 1, -5)
-- First what needs no memory: after it a script may write on when memory is full, and what is done frees some.
redis.call('ZREM', idle, wakeKey)
local isPaused, hasRules, cancels = unpack(redis.call('HMGET', control, 'paused', 'rules', 'x' .. worker))
redis.call('ZADD', workers, now() + leaseMs, worker)
-- What most queues have none of is asked for at once.
local hasMore = redis.call('EXISTS', meta, delayed, idle, head .. 'ghosts', head .. 'unhandled') > 0
local stale, over = {}, {}
local at = uniques * 2 + 1
while at <= #done do
  local fence, count = done[at], tonumber(done[at + 1])
  local fences = redis.call('ZMSCORE', active, unpack(done, at + 2, at + 1 + count))
  for place, held in ipairs(fences) do
    local list = (held == fence or held and tonumber(held) == tonumber(fence)) and over or stale
    list[#list + 1] = done[at + 1 + place]
  end
  at = at + 2 + count
end
if #over > 0 then
  redis.call('ZREM', active, unpack(over))
  if cancels then
    for _, id in ipairs(over) do wasCancelled(jobs, meta, channel, id) end
  end
  forget(jobs, hasMore and meta, over)
  for pair = 1, uniques * 2, 2 do
    if freeUnique(unique, done[pair], done[pair + 1]) then wakeWorkers(idle, channel, 1) end
  end
end
local rules = hasRules and loadRules()
local hasRoom = rules and rules.endRuns(jobs, over) > 0
-- After that, as it counts what runs. Where `control` was lost, there may be groups all the same.
if sweep and (hasRules or redis.call('EXISTS', head .. 'known') == 1) then
  redis.call('HSET', control, 'rules', '1')
  rules = rules or loadRules()
  rules.healRules(jobs, workers)
end
-- In a large queue one takes 10 microseconds, so that these take a millisecond; one of a group costs about as much as ten others.
local MAX_DUE, GROUPED = 100, 10
local first = hasMore and redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
if first and tonumber(first) <= now() then
  local due = redis.call('ZRANGE', delayed, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_DUE)
  local ready, moved, weight = {{}, {}, {}}, 0, 0
  for _, member in ipairs(due) do
    if weight >= MAX_DUE then break end
    local lane, id = tonumber(string.sub(member, 1, 1)), string.sub(member, 2)
    moved, weight = moved + 1, weight + (lane > 3 and GROUPED or 1)
    if lane > 3 then
      local record = redis.call('HGET', jobs, id)
      rules = rules or loadRules()
      if record then rules.placeInGroup(head, rules.groupOf(record), lane - 3, {id}) end
    else
      ready[lane][#ready[lane] + 1] = id
    end
  end
  for lane, list in ipairs(ready) do
    if #list > 0 then redis.call('RPUSH', lanes[lane], unpack(list)) end
  end
  -- They are the first ones: to look for each in a large set would cost more.
  redis.call('ZREMRANGEBYRANK', delayed, 0, moved - 1)
  first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
end
local ids, left, groups, nextMs, isMore = {}, isPaused and 0 or slots, nil, first and tonumber(first) or math.huge, nil
local found = {}
if rules and left > 0 then
  local againMs
  ids, groups, againMs, isMore = rules.takeByRules(head, lanes, left)
  nextMs, left = math.min(nextMs, againMs), slots - #ids
end
local passed = 0
while not rules and left > 0 and passed < MAX_PASSED do
  local taken = redis.call('LMPOP', 3, urgent, normal, low, 'LEFT', 'COUNT', left)
  if not taken then break end
  local lane = taken[1] == urgent and 1 or taken[1] == normal and 2 or 3
  local waited = hasMore and genuine(jobs, lane, taken[2], found) or taken[2]
  if #ids == 0 then ids = waited else for _, id in ipairs(waited) do ids[#ids + 1] = id end end
  passed = passed + #taken[2] - #waited
  left = slots - #ids
end
if passed >= MAX_PASSED then nextMs = now() end
if sweep and hasMore and left > 0 then healGhosts(head, lanes) end
local records, failures, crashed = {}, {}, {}
if #ids > 0 then
  local fence = string.format('%.0f', nowMicros())
  -- A small sorted set is a list that is walked for each of its members. A long member makes it a skip list, which it stays.
  local LONG = #ids > 8 and string.rep('-', 65)
  local scored = LONG and {fence, LONG} or {}
  records = redis.call('HMGET', jobs, unpack(ids))
  for at, id in ipairs(ids) do
    -- A record that is gone is of a job that was removed while it waited.
    if records[at] then
      scored[#scored + 1] = fence
      scored[#scored + 1] = id
    end
  end
  if #scored > 0 then redis.call('ZADD', active, unpack(scored)) end
  if LONG then redis.call('ZREM', active, LONG) end
  if rules then rules.startRuns(head, worker, ids, groups, records) end
  if hasMore then failures, crashed = remembered(meta, ids) end
end
local dead = sweep and redis.call('ZRANGE', workers, '-inf', '(' .. now(), 'BYSCORE', 'LIMIT', 0, 1) or {}
if idleMs > 0 and (left > 0 or isPaused) then
  redis.call('ZADD', idle, now() + idleMs, wakeKey)
elseif rules then
  if (isMore or hasRoom) and not isPaused then wakeWorkers(idle, channel, 1) end
elseif hasMore and #ids > 0 and redis.call('EXISTS', idle) == 1 and redis.call('EXISTS', urgent, normal, low) > 0 then
  -- There are more than this worker takes.
  wakeWorkers(idle, channel, 1)
end
-- Only where there is time for it: what this worker has no handlers for costs it nothing while others wait.
local unhandled = hasMore and slots > 0 and (left > 0 or sweep) and redis.call('HLEN', head .. 'unhandled') or 0
local dueMs = nextMs < math.huge and string.format('%.0f', math.max(nextMs - now(), 0)) or -1
return {
  'ok', stale, redis.call('ZCARD', active), string.format('%.0f', nowMicros()), dueMs, cancels or 0, dead, ids, records,
  failures, crashed, sweep and redis.call('HLEN', letters) or 0, unhandled,
}
