--- Add jobs, all of them in one step.
-- A repetition of the call (`operation` is known) adds nothing and is answered like the first time. A job whose id or
-- unique key is taken is left out: `duplicate` has its place in the call, counted from 0, and the id of the job in its way.
-- @class dedupable
-- @include now
-- @include lanes
-- @include idle
-- @key operation
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key unique
-- @key windows
-- @key idle
-- @arg operationTtlMs int
-- @arg channel text
-- @arg given bool       some of the ids are the callers' own
-- @arg fields... bytes  of each job: id, lane (1 to 3), due (empty, +milliseconds from now, or milliseconds since 1970), unique key or empty, for how long it is taken (0: until the job is over), record without the time
-- @returns list<text>
local before = redis.call('GET', operation)
if before then return cjson.decode(before) end
local lanes, taken, ids = {urgent, normal, low}, {}, {}
if given then
  for at = 1, #fields, 6 do ids[#ids + 1] = fields[at] end
  local found = redis.call('HMGET', jobs, unpack(ids))
  for at, id in ipairs(ids) do taken[id] = found[at] and true or nil end
end
local MAX_WINDOWS = 100
local over = redis.call('ZRANGE', windows, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_WINDOWS)
if #over > 0 then
  redis.call('HDEL', unique, unpack(over))
  redis.call('ZREM', windows, unpack(over))
end
local function holderOf(key)
  local id = redis.call('HGET', unique, key)
  if not id then return nil end
  if redis.call('ZSCORE', windows, key) or redis.call('HEXISTS', jobs, id) == 1 then return id end
end
local stamp = string.format('%013.0f', now())
local records, waiting, later, duplicates = {}, {{}, {}, {}}, {}, {}
local soonest
for at = 1, #fields, 6 do
  local id, lane, due, key, window = fields[at], fields[at + 1], fields[at + 2], fields[at + 3], tonumber(fields[at + 4])
  local holder = taken[id] and id or (key ~= '' and holderOf(key)) or nil
  if holder then
    duplicates[#duplicates + 1] = tostring((at - 1) / 6)
    duplicates[#duplicates + 1] = holder
  else
    if given then taken[id] = true end
    if key ~= '' then
      redis.call('HSET', unique, key, id)
      -- Known at once, for another job of this very call.
      redis.call('HSET', jobs, id, '')
      if window > 0 then redis.call('ZADD', windows, now() + window, key) end
    end
    records[#records + 1] = id
    records[#records + 1] = stamp .. lane .. fields[at + 5]
    if due == '' then
      local ready = waiting[tonumber(lane)]
      ready[#ready + 1] = id
    else
      local dueMs = string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due)
      later[#later + 1] = dueMs
      later[#later + 1] = lane .. id
      if not soonest or dueMs < soonest then soonest = dueMs end
    end
  end
end
local ready = 0
if #records > 0 then
  redis.call('HSET', jobs, unpack(records))
  for lane, list in ipairs(waiting) do
    if #list > 0 then redis.call('RPUSH', lanes[lane], unpack(list)) end
    ready = ready + #list
  end
  if #later > 0 then
    local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', delayed, unpack(later))
    -- A worker that sleeps until a later job is due must hear of the sooner one.
    if ready == 0 and (not first or soonest < tonumber(first)) then ready = 1 end
  end
end
redis.call('SET', operation, #duplicates == 0 and '[]' or cjson.encode(duplicates), 'PX', operationTtlMs)
if ready > 0 and redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, ready) end
return duplicates
