-- Groups. The jobs of one wait in `group:<name>`, by lane and then by place. `groups` has those that may be claimed from, by virtual time: a
-- claimed job moves its group on by 1/weight, and the group that is furthest behind is next (stride scheduling, Waldspurger 1995). A group that
-- is not ready has its virtual time in `passed`, until the clock of all (`pass` in `control`) is past it; `later` has groups whose rate
-- is used up, `halted` those that are paused, each until a time; `heads` the dead job that a strict group waits for; `known` all with jobs, limits or
-- a pause. `places` has a field `i<id>` for each run (`<worker>\n<group>`) and `r<group>`, how many
-- there are: in one key, so that they are lost together. Needs the includes `now` and `options`.
local LANE_WIDTH, MIDDLE = 1000000000000000, 500000000000000
local function groupOf(record)
  return optionsOf(record).g
end
local limitsByGroup, hasLimits = {}, nil
local function limitsOf(head, group)
  local known = limitsByGroup[group]
  if known then return known end
  -- Most queues have none, and a call may be about many groups.
  if hasLimits == nil then hasLimits = redis.call('EXISTS', head .. 'limits') == 1 end
  local found = hasLimits and redis.call('HMGET', head .. 'limits', group, '*') or {}
  local weight, concurrency, rate, perMs, order, maxWaiting =
    string.match(found[1] or found[2] or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)')
  known = {
    weight = tonumber(weight or 1), concurrency = tonumber(concurrency or 0), rate = tonumber(rate or 0),
    perMs = tonumber(perMs or 0), isStrict = order == '1' or order == '2', blocks = order == '1',
    maxWaiting = tonumber(maxWaiting or 0),
  }
  limitsByGroup[group] = known
  return known
end
local function runningIn(head, group)
  return tonumber(redis.call('HGET', head .. 'places', 'r' .. group) or 0)
end
-- Whether jobs of the group may be claimed, and whether that is new.
local function readyGroup(head, group)
  if redis.call('ZSCORE', head .. 'groups', group) then return true, false end
  if redis.call('EXISTS', head .. 'group:' .. group) == 0 then return false end
  if redis.call('ZSCORE', head .. 'halted', group) or redis.call('ZSCORE', head .. 'later', group) then return false end
  local limits = limitsOf(head, group)
  if limits.concurrency > 0 and runningIn(head, group) >= limits.concurrency then return false end
  if limits.blocks and redis.call('HEXISTS', head .. 'heads', group) == 1 then return false end
  local own = tonumber(redis.call('ZSCORE', head .. 'passed', group) or 0)
  local current = tonumber(redis.call('HGET', head .. 'control', 'pass') or 0)
  redis.call('ZREM', head .. 'passed', group)
  redis.call('ZADD', head .. 'groups', string.format('%.17g', math.max(own, current)), group)
  return true, true
end
-- Takes the group out of those that may be claimed from; `pass`: its virtual time, where it is known.
local function restGroup(head, group, pass)
  pass = pass or redis.call('ZSCORE', head .. 'groups', group)
  if not pass then return end
  redis.call('ZREM', head .. 'groups', group)
  redis.call('ZADD', head .. 'passed', pass, group)
end
-- Until `untilMs` (a number, or 'inf'), or for longer where it is so already.
local function haltGroup(head, group, untilMs)
  redis.call('ZADD', head .. 'halted', 'GT', untilMs, group)
  redis.call('ZADD', head .. 'known', 0, group)
  redis.call('HSET', head .. 'control', 'rules', '1')
  restGroup(head, group)
end
-- A group without jobs and without anything of its own need not be known.
local function forgetGroup(head, group)
  if redis.call('EXISTS', head .. 'group:' .. group) == 1 or redis.call('HEXISTS', head .. 'places', 'r' .. group) == 1
    or redis.call('HEXISTS', head .. 'limits', group) == 1 or redis.call('ZSCORE', head .. 'halted', group) then return end
  redis.call('ZREM', head .. 'known', group)
end
-- Puts jobs into their group, at the end of their lane (1 to 3) or, in their order, in front of it. How many there are more; they are to be counted.
local function putInGroup(head, group, lane, ids, inFront)
  local key, from = head .. 'group:' .. group, lane * LANE_WIDTH
  local lowest, highest = string.format('%.0f', from), string.format('(%.0f', from + LANE_WIDTH)
  local edge
  if inFront then
    edge = redis.call('ZRANGE', key, lowest, highest, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
  else
    edge = redis.call('ZRANGE', key, highest, lowest, 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')[2]
  end
  local first = edge and tonumber(edge) + (inFront and -#ids or 1) or from + MIDDLE
  local scored = {}
  for at, id in ipairs(ids) do
    scored[at * 2 - 1] = string.format('%.0f', first + at - 1)
    scored[at * 2] = id
  end
  return redis.call('ZADD', key, unpack(scored))
end
-- Counts jobs that were put into these groups.
local function countInGroups(head, names, added)
  redis.call('HINCRBY', head .. 'control', 'grouped', added)
  local members = {}
  for at, name in ipairs(names) do members[at * 2 - 1], members[at * 2] = 0, name end
  if redis.call('ZADD', head .. 'known', unpack(members)) > 0 then redis.call('HSET', head .. 'control', 'rules', '1') end
end
-- Both, for one group. Whether its jobs may be claimed.
local function placeInGroup(head, group, lane, ids, inFront)
  countInGroups(head, {group}, putInGroup(head, group, lane, ids, inFront))
  return readyGroup(head, group)
end
-- A waiting job goes out of its group otherwise than by a claim.
local function leaveGroup(head, group, id)
  if redis.call('ZREM', head .. 'group:' .. group, id) == 0 then return end
  redis.call('HINCRBY', head .. 'control', 'grouped', -1)
  if redis.call('EXISTS', head .. 'group:' .. group) == 1 then return end
  restGroup(head, group)
  forgetGroup(head, group)
end
-- In strict order the jobs behind one that has died wait for it, where that is asked for.
local function diedInGroup(head, record, id)
  if tonumber(string.sub(record, 14, 14)) <= 3 then return end
  local group = groupOf(record)
  if not limitsOf(head, group).blocks then return end
  redis.call('HSET', head .. 'heads', group, id)
  restGroup(head, group)
end
-- It is redriven, or removed: whether the group waited for it.
local function leftHead(head, group, id)
  if redis.call('HGET', head .. 'heads', group) ~= id then return false end
  redis.call('HDEL', head .. 'heads', group)
  return true
end
