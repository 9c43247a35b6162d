-- Claims where there are groups, or limits of the queue. The high lane comes first, and the low one last. In between groups share by their
-- weights, and the normal lane is one of them, of weight 1. Needs the includes `groups`, `ghosts` and `rate`.
local NEVER = math.huge
-- With a group each they hold the server for less than a millisecond; where there are more, the worker is to ask again at once.
local MAX_TAKEN = 25
local function firstMs(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return first and first ~= 'inf' and tonumber(first) or NEVER
end
-- Those whose time has come; returned is when the next one's does.
local function releaseGroups(head, key)
  local first = firstMs(key)
  if first > now() then return first end
  for _, group in ipairs(redis.call('ZRANGE', key, '-inf', now(), 'BYSCORE', 'LIMIT', 0, 50)) do
    redis.call('ZREM', key, group)
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
  return firstMs(key)
end
-- The jobs, their groups (false: none), milliseconds since 1970 at which there may be more (NEVER: when something ends), whether there are
-- more for another worker now.
local function takeByRules(head, lanes, slots)
  local control, urgent, normal, low = head .. 'control', unpack(lanes)
  local concurrency, running, rate, perMs, blockedUntil, pass, lanePass =
    unpack(redis.call('HMGET', control, 'concurrency', 'running', 'rate', 'perMs', 'until', 'pass', 'lanePass'))
  pass, perMs, blockedUntil = tonumber(pass or 0), tonumber(perMs or 0), tonumber(blockedUntil or 0)
  lanePass = math.max(tonumber(lanePass or 0), pass)
  local laterMs = math.min(releaseGroups(head, head .. 'later'), releaseGroups(head, head .. 'halted'))
  local most, nextMs = NEVER, NEVER
  if concurrency then most = math.max(tonumber(concurrency) - tonumber(running or 0), 0) end
  if rate then most = math.min(most, (freeStarts(head .. 'rate', tonumber(rate), perMs))) end
  if blockedUntil > now() then
    most, nextMs = 0, blockedUntil
  elseif blockedUntil > 0 then
    redis.call('HDEL', control, 'until')
  end
  local ids, groups, left, found = {}, {}, math.min(slots, most, MAX_TAKEN), {}
  local function give(taken, group, step)
    for at = 1, #taken, step do
      ids[#ids + 1] = taken[at]
      groups[#ids] = group
    end
    left = left - #taken / step
    return #taken / step
  end
  local passed = 0
  -- How many it has taken from the lane, and how many of them are jobs.
  local function pop(lane, count)
    if left <= 0 or passed >= MAX_PASSED then return 0, 0 end
    local taken = redis.call('LPOP', lane, count) or {}
    if #taken == 0 then return 0, 0 end
    local here = genuine(head .. 'jobs', lane == urgent and 1 or lane == normal and 2 or 3, taken, found)
    passed = passed + #taken - #here
    return #taken, give(here, false, 1)
  end
  local states = {}
  -- What a group may have started now: its room, and when there is some where there is none for its rate.
  local function roomOf(group)
    local state = states[group]
    if state then return state end
    local limits = limitsOf(head, group)
    state = {weight = limits.weight, room = NEVER, free = NEVER}
    if limits.concurrency > 0 then state.room = limits.concurrency - runningIn(head, group) end
    if limits.rate > 0 then
      state.key, state.perMs = head .. 'rate:' .. group, limits.perMs
      state.free, state.freeAtMs = freeStarts(state.key, limits.rate, limits.perMs)
    end
    states[group] = state
    return state
  end
  local function takeOf(group, groupPass, rival)
    local state, key = roomOf(group), head .. 'group:' .. group
    local count = math.min(left, state.room, state.free)
    if rival < NEVER then count = math.min(count, math.floor((rival - groupPass) * state.weight) + 1) end
    local taken = count > 0 and give(redis.call('ZPOPMIN', key, count), group, 2) or 0
    if taken > 0 then
      pass = groupPass + (taken - 1) / state.weight
      groupPass = groupPass + taken / state.weight
      state.room, state.free = state.room - taken, state.free - taken
      if state.key then
        logStarts(state.key, taken, state.perMs)
        state.freeAtMs = state.freeAtMs or math.ceil(nowMicros() / 1000) + state.perMs
      end
    end
    local score = string.format('%.17g', groupPass)
    if state.room <= 0 or state.free <= 0 or redis.call('EXISTS', key) == 0 then
      restGroup(head, group, score)
      if state.free <= 0 then
        redis.call('ZADD', head .. 'later', state.freeAtMs, group)
        laterMs = math.min(laterMs, state.freeAtMs)
      end
    else
      redis.call('ZADD', head .. 'groups', score, group)
    end
  end
  while pop(urgent, left) > 0 do end
  local inLane = left > 0 and redis.call('LLEN', normal) or 0
  while left > 0 and passed < MAX_PASSED do
    local first, firstPass, _, second = unpack(redis.call('ZRANGE', head .. 'groups', 0, 1, 'WITHSCORES'))
    firstPass = tonumber(firstPass or NEVER)
    if inLane > 0 and lanePass <= firstPass then
      local count = math.min(inLane, left, math.floor(firstPass - lanePass) + 1)
      local popped, here = pop(normal, count)
      if here > 0 then pass = lanePass + here - 1 end
      lanePass, inLane = lanePass + here, popped > 0 and inLane - popped or 0
    elseif first then
      takeOf(first, firstPass, math.min(tonumber(second or NEVER), inLane > 0 and lanePass or NEVER))
    else
      break
    end
  end
  while pop(low, left) > 0 do end
  if #ids > 0 then
    redis.call('HSET', control, 'pass', string.format('%.17g', pass), 'lanePass', string.format('%.17g', lanePass))
    redis.call('ZREMRANGEBYSCORE', head .. 'passed', '-inf', string.format('%.17g', pass))
    if rate then logStarts(head .. 'rate', #ids, perMs) end
  end
  if rate then
    local free, atMs = freeStarts(head .. 'rate', tonumber(rate), perMs)
    if free == 0 then nextMs = math.max(atMs, blockedUntil) end
  end
  nextMs = math.min(nextMs, math.max(laterMs, blockedUntil))
  if passed >= MAX_PASSED or #ids == MAX_TAKEN and #ids < slots and #ids < most then nextMs = now() end
  local isMore = #ids == slots and #ids < most
    and (redis.call('EXISTS', head .. 'groups', urgent, normal, low) > 0)
  return ids, groups, nextMs, isMore
end
-- Those of them that run now, as their records are there.
local function startRuns(head, worker, ids, groups, records)
  local control, started, places, order, counts, missing = head .. 'control', 0, {}, {}, {}, {}
  local waited = 0
  for at, id in ipairs(ids) do
    local group = groups[at]
    if group then
      waited = waited + 1
      if records[at] then
        places[#places + 1] = 'i' .. id
        places[#places + 1] = worker .. '\n' .. group
        if not counts[group] then order[#order + 1] = group end
        counts[group] = (counts[group] or 0) + 1
      else
        missing[#missing + 1] = group
      end
    end
    if records[at] then started = started + 1 end
  end
  if waited > 0 then redis.call('HINCRBY', control, 'grouped', -waited) end
  if #places > 0 then redis.call('HSET', head .. 'places', unpack(places)) end
  for _, group in ipairs(order) do redis.call('HINCRBY', head .. 'places', 'r' .. group, counts[group]) end
  if redis.call('HEXISTS', control, 'concurrency') == 1 then redis.call('HINCRBY', control, 'running', started) end
  -- They may have been taken for the last that the group's limit lets in.
  for _, group in ipairs(missing) do
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
end
