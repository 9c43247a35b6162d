--- Add jobs, all of them in one step.
-- A repetition of the call (`operation` is known) adds nothing and is answered like the first time. A job whose id or
-- unique key is taken is left out, and so is one for which there is no room: the reply has its place in the call, counted from 0, and the id of
-- the job in its way, which is empty where there is no room.
-- @class dedupable
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include groups
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
-- @arg maxWaiting int     of the queue; 0: none
-- @arg fields... bytes  of each job: id, lane (1 to 3, 4 to 6 in a group), due (empty, +milliseconds from now, or milliseconds since 1970), unique key or empty, for how long it is taken (0: until the job is over), group or empty, record without the time
-- @returns list<text>
local before = redis.call('GET', operation)
if before then return cjson.decode(before) end
local lanes, taken, ids, head = {urgent, normal, low}, {}, {}, string.sub(jobs, 1, -5)
if given then
  for at = 1, #fields, 7 do ids[#ids + 1] = fields[at] end
  local found = redis.call('HMGET', jobs, unpack(ids))
  for at, id in ipairs(ids) do taken[id] = found[at] and true or nil end
end
-- More than one call adds: else they would pile up.
local MAX_WINDOWS = 200
local over = redis.call('ZRANGE', windows, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_WINDOWS)
if #over > 0 then
  redis.call('HDEL', unique, unpack(over))
  redis.call('ZREM', windows, unpack(over))
end
local function holderOf(key)
  local id = redis.call('HGET', unique, key)
  if not id then return nil end
  local window = redis.call('ZSCORE', windows, key)
  if window and tonumber(window) > now() then return id end
  if window then
    redis.call('ZREM', windows, key)
  elseif redis.call('HEXISTS', jobs, id) == 1 then
    return id
  end
end
local stamp = string.format('%013.0f', now())
local records, waiting, later, refused = {}, {{}, {}, {}}, {}, {}
local soonest
local room = maxWaiting > 0 and maxWaiting + tonumber(redis.call('HGET', head .. 'ghosts', '') or 0) - redis.call('LLEN', urgent) - redis.call('LLEN', normal)
  - redis.call('LLEN', low) - redis.call('ZCARD', delayed) - tonumber(redis.call('HGET', head .. 'control', 'grouped') or 0)
local groups, byGroup = {}, {}
local function groupNamed(name)
  local group = byGroup[name]
  if group then return group end
  group = {name = name, ids = {{}, {}, {}}, room = math.huge}
  local most = limitsOf(head, name).maxWaiting
  if most > 0 then group.room = most - redis.call('ZCARD', head .. 'group:' .. name) end
  groups[#groups + 1], byGroup[name] = group, group
  return group
end
for at = 1, #fields, 7 do
  local id, lane, due, key, window = fields[at], fields[at + 1], fields[at + 2], fields[at + 3], tonumber(fields[at + 4])
  local group = fields[at + 5] ~= '' and groupNamed(fields[at + 5])
  local holder = taken[id] and id or (key ~= '' and holderOf(key)) or nil
  if not holder and ((room and room <= 0) or (group and due == '' and group.room <= 0)) then holder = '' end
  if holder then
    refused[#refused + 1] = tostring((at - 1) / 7)
    refused[#refused + 1] = holder
  else
    if given then taken[id] = true end
    if key ~= '' then
      redis.call('HSET', unique, key, id)
      -- Known at once, for another job of this very call.
      redis.call('HSET', jobs, id, '')
      if window > 0 then redis.call('ZADD', windows, now() + window, key) end
    end
    records[#records + 1] = id
    records[#records + 1] = stamp .. lane .. fields[at + 6]
    if room then room = room - 1 end
    if due == '' and group then
      local ready = group.ids[lane - 3]
      ready[#ready + 1], group.room = id, group.room - 1
    elseif due == '' then
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
  local names, counts, added = {}, {}, 0
  for _, group in ipairs(groups) do
    local count = 0
    for lane, list in ipairs(group.ids) do
      if #list > 0 then added, count = added + putInGroup(head, group.name, lane, list), count + #list end
    end
    if count > 0 then names[#names + 1], counts[#counts + 1] = group.name, count end
  end
  if #names > 0 then
    countInGroups(head, names, added)
    for at, score in ipairs(redis.call('ZMSCORE', head .. 'groups', unpack(names))) do
      if score or readyGroup(head, names[at]) then ready = ready + counts[at] end
    end
  end
  if #later > 0 then
    local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', delayed, unpack(later))
    -- A worker that sleeps until a later job is due must hear of the sooner one.
    if ready == 0 and (not first or soonest < tonumber(first)) then ready = 1 end
  end
end
for at = 1, #records, 2 do noteEvent(jobs, channel, 'added', records[at], records[at + 1]) end
redis.call('SET', operation, #refused == 0 and '[]' or cjson.encode(refused), 'PX', operationTtlMs)
if ready > 0 and redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, ready) end
return refused
