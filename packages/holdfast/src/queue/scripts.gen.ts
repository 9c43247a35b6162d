// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeList, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeFloat, encodeInt, encodeJson } from "../core/script/encode.ts";
import type { None, Script } from "../core/script/script.ts";

const NOW = `local clockMicros
local function nowMicros()
  if not clockMicros then
    local clock = redis.call('TIME')
    clockMicros = clock[1] * 1000000 + clock[2]
  end
  return clockMicros
end
local function now()
  return math.floor(nowMicros() / 1000)
end
`;

const IDLE = `local MAX_ABSENT = 16
local function wakeWorkers(idle, channel, count)
  local absent = 0
  while count > 0 and absent < MAX_ABSENT do
    local popped = redis.call('ZPOPMAX', idle)
    if not popped[1] then return end
    if tonumber(popped[2]) > now() then
      redis.call('PUBLISH', channel, popped[1])
      count = count - 1
    else
      absent = absent + 1
    end
  end
end
`;

const OPTIONS = `local function optionsOf(record)
  local ends = string.find(record, '\\n', 15, true)
  if not ends or ends == 15 then return {} end
  return cjson.decode(string.sub(record, 15, ends - 1))
end
local function isUnhandled(head, id, record)
  if redis.call('EXISTS', head .. 'unhandled') == 0 then return false end
  return redis.call('ZSCORE', head .. 'unhandled:' .. (optionsOf(record).n or ''), id)
end
`;

const EVENTS = `local eventsMax
local function noteEvent(jobs, channel, kind, id, record, detail)
  local head = string.sub(jobs, 1, -5)
  if eventsMax == nil then eventsMax = redis.call('GET', head .. 'events:max') end
  if not eventsMax then return end
  local ends = record and string.find(record, '\\n', 15, true)
  local name = ends and ends > 15 and cjson.decode(string.sub(record, 15, ends - 1)).n or ''
  redis.pcall('XADD', head .. 'events', 'MAXLEN', '~', eventsMax, '*', 'k', kind, 'j', id, 'n', name, 'd', detail or '')
  if redis.call('DEL', head .. 'watched') == 1 then redis.call('PUBLISH', channel, head .. 'events') end
end
`;

const GROUPS = `local LANE_WIDTH, MIDDLE = 1000000000000000, 500000000000000
local function groupOf(record)
  return optionsOf(record).g
end
local limitsByGroup, hasLimits = {}, nil
local function limitsOf(head, group)
  local known = limitsByGroup[group]
  if known then return known end
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
local function restGroup(head, group, pass)
  pass = pass or redis.call('ZSCORE', head .. 'groups', group)
  if not pass then return end
  redis.call('ZREM', head .. 'groups', group)
  redis.call('ZADD', head .. 'passed', pass, group)
end
local function haltGroup(head, group, untilMs)
  redis.call('ZADD', head .. 'halted', 'GT', untilMs, group)
  redis.call('ZADD', head .. 'known', 0, group)
  redis.call('HSET', head .. 'control', 'rules', '1')
  restGroup(head, group)
end
local function forgetGroup(head, group)
  if redis.call('EXISTS', head .. 'group:' .. group) == 1 or redis.call('HEXISTS', head .. 'places', 'r' .. group) == 1
    or redis.call('HEXISTS', head .. 'limits', group) == 1 or redis.call('ZSCORE', head .. 'halted', group) then return end
  redis.call('ZREM', head .. 'known', group)
end
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
local function countInGroups(head, names, added)
  redis.call('HINCRBY', head .. 'control', 'grouped', added)
  local members = {}
  for at, name in ipairs(names) do members[at * 2 - 1], members[at * 2] = 0, name end
  if redis.call('ZADD', head .. 'known', unpack(members)) > 0 then redis.call('HSET', head .. 'control', 'rules', '1') end
end
local function placeInGroup(head, group, lane, ids, inFront)
  countInGroups(head, {group}, putInGroup(head, group, lane, ids, inFront))
  return readyGroup(head, group)
end
local function leaveGroup(head, group, id)
  if redis.call('ZREM', head .. 'group:' .. group, id) == 0 then return end
  redis.call('HINCRBY', head .. 'control', 'grouped', -1)
  if redis.call('EXISTS', head .. 'group:' .. group) == 1 then return end
  restGroup(head, group)
  forgetGroup(head, group)
end
local function diedInGroup(head, record, id)
  if tonumber(string.sub(record, 14, 14)) <= 3 then return end
  local group = groupOf(record)
  if not limitsOf(head, group).blocks then return end
  redis.call('HSET', head .. 'heads', group, id)
  restGroup(head, group)
end
local function leftHead(head, group, id)
  if redis.call('HGET', head .. 'heads', group) ~= id then return false end
  redis.call('HDEL', head .. 'heads', group)
  return true
end
`;

const FORGET = `local function forget(jobs, meta, ids)
  redis.call('HDEL', jobs, unpack(ids))
  if not meta or redis.call('EXISTS', meta) == 0 then return end
  for _, id in ipairs(ids) do
    local own = redis.call(
      'HDEL', meta, 'f' .. id, 'c' .. id, 'r' .. id, 'k' .. id, 'e' .. id, 's' .. id, 'w' .. id, 'p' .. id, 'l' .. id, 'x' .. id
    )
    if own > 0 then
      local head = string.sub(jobs, 1, -5)
      redis.call('UNLINK', head .. 'children:' .. id, head .. 'steps:' .. id)
    end
  end
end
local function freeUnique(unique, key, id)
  if key == '' or redis.call('HGET', unique, key) ~= id then return false end
  local head = string.sub(unique, 1, -7)
  local next_ = redis.call('HGET', head .. 'reruns', key)
  if next_ then redis.call('HDEL', head .. 'reruns', key) end
  local record = next_ and redis.call('HGET', head .. 'jobs', next_)
  if not record then
    redis.call('HDEL', unique, key)
    return false
  end
  redis.call('HSET', unique, key, next_)
  redis.call('RPUSH', head .. ({'high', 'normal', 'low'})[tonumber(string.sub(record, 14, 14))], next_)
  return true
end
`;

const WORKER_OF = `local workersNow
local function workerOf(id, workers, jobs)
  local head = string.sub(jobs, 1, -5) .. 'active:'
  workersNow = workersNow or redis.call('ZRANGE', workers, 0, -1)
  for _, worker in ipairs(workersNow) do
    local fence = redis.call('ZSCORE', head .. worker, id)
    if fence then return worker, fence end
  end
end
`;

const PLACE = `local function place(jobs, lanes, record, id, inFront)
  local lane = tonumber(string.sub(record, 14, 14))
  if lane > 3 then
    return (placeInGroup(string.sub(jobs, 1, -5), groupOf(record), lane - 3, {id}, inFront))
  end
  redis.call(inFront and 'LPUSH' or 'RPUSH', lanes[lane], id)
  return true
end
`;

const GHOSTS = `local MAX_PASSED = 150
local function isRerun(head, id, options)
  return options.m == 'r' and redis.call('HGET', head .. 'reruns', options.u) == id
end
local function countGhosts(head, count)
  if redis.call('HINCRBY', head .. 'ghosts', '', count) <= 0 then redis.call('HDEL', head .. 'ghosts', '') end
end
local function addGhost(head, id)
  redis.call('HINCRBY', head .. 'ghosts', id, 1)
  countGhosts(head, 1)
end
local function dropGhost(head, id)
  local left = redis.call('HINCRBY', head .. 'ghosts', id, -1)
  if left <= 0 then redis.call('HDEL', head .. 'ghosts', id) end
  if left >= 0 then countGhosts(head, -1) end
end
local function healGhosts(head, lanes)
  if redis.call('EXISTS', head .. 'ghosts') == 0 or redis.call('EXISTS', unpack(lanes)) > 0 then return end
  redis.call('UNLINK', head .. 'ghosts')
end
local function genuine(jobs, lane, ids, taken)
  local head = string.sub(jobs, 1, -5)
  if redis.call('EXISTS', head .. 'ghosts') == 0 then return ids end
  local counted, found, gone = redis.call('HMGET', head .. 'ghosts', unpack(ids)), {}, {}
  for at, id in ipairs(ids) do
    local isHere = true
    if counted[at] then
      local record = redis.call('HGET', jobs, id)
      if not record and counted[at] == '1' then
        isHere, gone[#gone + 1] = false, id
      else
        isHere = record and string.sub(record, 14, 14) == tostring(lane) and not taken[id]
          and not redis.call('ZSCORE', head .. 'delayed', lane .. id) and not redis.call('ZSCORE', head .. 'dead', id)
          and redis.call('HEXISTS', head .. 'blocked', id) == 0
          and not workerOf(id, head .. 'workers', jobs) and not isRerun(head, id, optionsOf(record)) and not isUnhandled(head, id, record)
        if not isHere then dropGhost(head, id) end
        if isHere then taken[id] = true end
      end
    end
    if isHere then found[#found + 1] = id end
  end
  if #gone > 0 then
    redis.call('HDEL', head .. 'ghosts', unpack(gone))
    countGhosts(head, -#gone)
  end
  return found
end
`;

const UNPLACE = `local function unplace(jobs, id, record)
  local head = string.sub(jobs, 1, -5)
  if redis.call('ZREM', head .. 'delayed', string.sub(record, 14, 14) .. id) == 1 then return end
  if redis.call('HDEL', head .. 'blocked', id) == 1 then
    redis.call('ZREM', head .. 'blockedAt', id)
    return
  end
  if isUnhandled(head, id, record) then
    local name = optionsOf(record).n or ''
    local key = head .. 'unhandled:' .. name
    redis.call('ZREM', key, id)
    local left = redis.call('ZCARD', key)
    if left == 0 then redis.call('HDEL', head .. 'unhandled', name) else redis.call('HSET', head .. 'unhandled', name, left) end
    return
  end
  if tonumber(string.sub(record, 14, 14)) > 3 then return leaveGroup(head, groupOf(record), id) end
  local options = optionsOf(record)
  if isRerun(head, id, options) then
    redis.call('HDEL', head .. 'reruns', options.u)
  else
    addGhost(head, id)
  end
end
`;

const LETTERS = `local CANCELLED = 'x'
local function tellParents(letters, record, status, outcome)
  for _, parent in ipairs(optionsOf(record).p or {}) do
    local queue, partition, id, policy, ref = unpack(parent)
    redis.call('HSET', letters, cjson.encode({'ended', now(), queue, partition, id, policy, ref, status}), outcome)
  end
end
`;

const GIVE_UP = `local function undoes(jobs, meta, id, why)
  if redis.call('HEXISTS', meta, 's' .. id) == 0 then return false end
  local steps = string.sub(jobs, 1, -5) .. 'steps:' .. id
  if redis.call('HEXISTS', steps, 'u') == 0 or redis.call('HSETNX', steps, '!', why) == 0 then return false end
  redis.call('HINCRBY', meta, 'c' .. id, 1000000)
  redis.call('HDEL', meta, 'x' .. id)
  return true
end
local function isUndoing(jobs, meta, id)
  return redis.call('HEXISTS', meta, 's' .. id) == 1
    and redis.call('HEXISTS', string.sub(jobs, 1, -5) .. 'steps:' .. id, '!') == 1
end
`;

const CANCELLED = `local function cancelsOf(jobs, active)
  local head = string.sub(jobs, 1, -5)
  return redis.call('HGET', head .. 'control', 'x' .. string.sub(active, #head + 8))
end
local function wasCancelled(jobs, meta, channel, id)
  local mark = redis.call('HGET', meta, 'x' .. id)
  if not mark then return false end
  local colon = string.find(mark, ':', 1, true)
  local result = string.sub(jobs, 1, -5) .. 'result:' .. id
  redis.call('SET', result, string.sub(mark, colon + 1), 'PX', string.sub(mark, 1, colon - 1))
  redis.call('PUBLISH', channel, result)
  return true
end
local function markCancelled(jobs, meta, channel, id, worker, mark)
  local head = string.sub(jobs, 1, -5)
  redis.call('HSETNX', meta, 'x' .. id, mark)
  redis.call('HSET', head .. 'control', 'x' .. worker, string.format('%.0f', nowMicros()))
  redis.call('PUBLISH', channel, head .. 'cancel:' .. worker)
end
`;

const CANCEL_JOB = `local function cancelJob(keys, channel, id, record, keepMs, outcome)
  local jobs, meta = keys.jobs, keys.meta
  local worker = workerOf(id, keys.workers, jobs)
  if worker and isUndoing(jobs, meta, id) then return 'running' end
  if worker then
    markCancelled(jobs, meta, channel, id, worker, string.format('%.0f', keepMs) .. ':' .. outcome)
    return 'running'
  end
  if redis.call('ZSCORE', keys.dead, id) then return nil end
  if isUndoing(jobs, meta, id) then return 'running' end
  unplace(jobs, id, record)
  if undoes(jobs, meta, id, 'it was cancelled') then
    if place(jobs, keys.lanes, record, id, true) then wakeWorkers(keys.idle, channel, 1) end
    return 'running'
  end
  if freeUnique(keys.unique, optionsOf(record).u or '', id) then wakeWorkers(keys.idle, channel, 1) end
  tellParents(keys.letters, record, 'd', CANCELLED)
  forget(jobs, meta, {id})
  local result = string.sub(jobs, 1, -5) .. 'result:' .. id
  redis.call('SET', result, outcome, 'PX', keepMs)
  redis.call('PUBLISH', channel, result)
  noteEvent(jobs, channel, 'cancelled', id, record)
  return 'ok'
end
`;

const REMEMBERED = `local function remembered(meta, ids)
  if #ids == 0 or redis.call('EXISTS', meta) == 0 then return {}, {} end
  local fields = {}
  for at, id in ipairs(ids) do
    fields[at] = 'f' .. id
    fields[#ids + at] = 'c' .. id
  end
  local failures, crashed = redis.call('HMGET', meta, unpack(fields)), {}
  for at = 1, #ids do
    crashed[at] = failures[#ids + at]
    failures[#ids + at] = nil
  end
  return failures, crashed
end
`;

const RULES_BEGIN = `local function loadRules()
`;

const RATE = `local function countsOf(entry)
  local total, count = string.match(entry, '^(%d+):(%d+)$')
  return tonumber(total), tonumber(count)
end
local function freeStarts(key, rate, perMs)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', nowMicros() - perMs * 1000))
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if not first[1] then return rate end
  local before, count = countsOf(first[1])
  local total = countsOf(redis.call('ZRANGE', key, -1, -1)[1])
  return math.max(rate - (total - before + count), 0), math.ceil(tonumber(first[2]) / 1000) + perMs
end
local function logStarts(key, started, perMs)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  local at, total, count, grain = nowMicros(), started, started, perMs
  if last[1] then
    local before, lastCount = countsOf(last[1])
    local lastAt = tonumber(last[2])
    at, total = math.max(at, lastAt), before + started
    if math.floor(at / grain) == math.floor(lastAt / grain) then
      redis.call('ZREM', key, last[1])
      count = lastCount + started
    end
  end
  redis.call('ZADD', key, string.format('%.0f', at), string.format('%.0f:%.0f', total, count))
  redis.call('PEXPIRE', key, perMs + 1)
end
`;

const TAKE = `local NEVER = math.huge
local MAX_TAKEN = 25
local function firstMs(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return first and first ~= 'inf' and tonumber(first) or NEVER
end
local function releaseGroups(head, key)
  local first = firstMs(key)
  if first > now() then return first end
  for _, group in ipairs(redis.call('ZRANGE', key, '-inf', now(), 'BYSCORE', 'LIMIT', 0, 50)) do
    redis.call('ZREM', key, group)
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
  return firstMs(key)
end
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
  local function pop(lane, count)
    if left <= 0 or passed >= MAX_PASSED then return 0, 0 end
    local taken = redis.call('LPOP', lane, count) or {}
    if #taken == 0 then return 0, 0 end
    local here = genuine(head .. 'jobs', lane == urgent and 1 or lane == normal and 2 or 3, taken, found)
    passed = passed + #taken - #here
    return #taken, give(here, false, 1)
  end
  local states = {}
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
local function startRuns(head, worker, ids, groups, records)
  local control, started, places, order, counts, missing = head .. 'control', 0, {}, {}, {}, {}
  local waited = 0
  for at, id in ipairs(ids) do
    local group = groups[at]
    if group then
      waited = waited + 1
      if records[at] then
        places[#places + 1] = 'i' .. id
        places[#places + 1] = worker .. '\\n' .. group
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
  for _, group in ipairs(missing) do
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
end
`;

const RUNS = `local function endRuns(jobs, ids)
  local head = string.sub(jobs, 1, -5)
  local rules, concurrency, running = unpack(redis.call('HMGET', head .. 'control', 'rules', 'concurrency', 'running'))
  if not rules or #ids == 0 then return 0 end
  local free = 0
  if concurrency then
    running = tonumber(running or 0)
    redis.call('HSET', head .. 'control', 'running', math.max(running - #ids, 0))
    if running >= tonumber(concurrency) then free = #ids end
  end
  local fields = {}
  for at, id in ipairs(ids) do fields[at] = 'i' .. id end
  local places, over, groups, counts = redis.call('HMGET', head .. 'places', unpack(fields)), {}, {}, {}
  for at, place in ipairs(places) do
    if place then
      over[#over + 1] = fields[at]
      local group = string.sub(place, string.find(place, '\\n', 1, true) + 1)
      if not counts[group] then groups[#groups + 1] = group end
      counts[group] = (counts[group] or 0) + 1
    end
  end
  if #over > 0 then redis.call('HDEL', head .. 'places', unpack(over)) end
  for _, group in ipairs(groups) do
    if redis.call('HINCRBY', head .. 'places', 'r' .. group, -counts[group]) <= 0 then
      redis.call('HDEL', head .. 'places', 'r' .. group)
    end
    local isReady, isNew = readyGroup(head, group)
    if isNew then free = free + counts[group] end
    if not isReady then forgetGroup(head, group) end
  end
  return free
end
`;

const HEAL = `local MAX_HEALED = 20
local function healRules(jobs, workers)
  local head = string.sub(jobs, 1, -5)
  local control, known = head .. 'control', head .. 'known'
  if redis.call('HEXISTS', control, 'concurrency') == 1 then
    local running = 0
    for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
      running = running + redis.call('ZCARD', head .. 'active:' .. worker)
    end
    redis.call('HSET', control, 'running', running)
  end
  local lost = {}
  local places = redis.call('HRANDFIELD', head .. 'places', MAX_HEALED, 'WITHVALUES')
  for at = 1, #places, 2 do
    local id = string.sub(places[at], 2)
    local worker = string.sub(places[at], 1, 1) == 'i' and string.match(places[at + 1], '^[^\\n]*')
    if worker and not redis.call('ZSCORE', head .. 'active:' .. worker, id) then lost[#lost + 1] = id end
  end
  endRuns(jobs, lost)
  local heads = redis.call('HRANDFIELD', head .. 'heads', MAX_HEALED, 'WITHVALUES')
  for at = 1, #heads, 2 do
    local isThere = redis.call('ZSCORE', head .. 'dead', heads[at + 1]) and redis.call('HEXISTS', jobs, heads[at + 1]) == 1
    if not isThere then redis.call('HDEL', head .. 'heads', heads[at]) end
  end
  for _, group in ipairs(redis.call('ZRANGE', head .. 'groups', 0, MAX_HEALED - 1)) do
    redis.call('ZADD', known, 0, group)
    if redis.call('EXISTS', head .. 'group:' .. group) == 0 then restGroup(head, group) end
  end
  local some = redis.call('ZRANDMEMBER', known, MAX_HEALED)
  for _, group in ipairs(some) do
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
  if redis.call('ZCARD', known) <= MAX_HEALED then
    local grouped = 0
    for _, group in ipairs(redis.call('ZRANGE', known, 0, -1)) do
      grouped = grouped + redis.call('ZCARD', head .. 'group:' .. group)
    end
    redis.call('HSET', control, 'grouped', grouped)
  end
end
`;

const RULES_END = `return {
  endRuns = endRuns, healRules = healRules, takeByRules = takeByRules, startRuns = startRuns,
  placeInGroup = placeInGroup, groupOf = groupOf,
}
end
`;

const BEGUN = `local function hasBegun(jobs, meta, id)
  if redis.call('HEXISTS', meta, 's' .. id) == 0 then return false end
  for _, field in ipairs(redis.call('HKEYS', string.sub(jobs, 1, -5) .. 'steps:' .. id)) do
    if string.sub(field, 1, 1) ~= 'g' then return true end
  end
  return false
end
`;

const STATE_OF = `local function stateOf(jobs, id, record)
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
`;

const PENDING = `local function pendingOf(jobs, meta, id)
  local known = tonumber(redis.call('HGET', meta, 'k' .. id) or -1)
  if known >= 0 then return known end
  local left = 0
  for _, waits in ipairs(redis.call('HVALS', string.sub(jobs, 1, -5) .. 'children:' .. id)) do
    if string.byte(waits) == 63 then left = left + 1 end
  end
  return left
end
`;

const BLOCK = `local function block(jobs, meta, blocked, id, pairs_, held, staged, size)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  local before, fresh = pendingOf(jobs, meta, id), 0
  if staged then
    fresh = size
    if redis.call('HLEN', children) > size then
      children, staged = staged, children
    end
    local flat = redis.call('HGETALL', children)
    for at = 1, #flat, 1000 do redis.call('HSET', staged, unpack(flat, at, math.min(at + 999, #flat))) end
    redis.call('DEL', children)
    children = string.sub(jobs, 1, -5) .. 'children:' .. id
    if staged ~= children then redis.call('RENAME', staged, children) end
    redis.call('PERSIST', children)
  else
    for at = 1, #pairs_, 2 do fresh = fresh + redis.call('HSETNX', children, pairs_[at], '?' .. pairs_[at + 1]) end
  end
  redis.call('HSET', meta, 'k' .. id, before + fresh)
  if not held then
    redis.call('HINCRBY', blocked, id, fresh)
    redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
  end
  return fresh
end
`;

const DEATHS = `local DEATHS, MAX_DEATHS = 'holdfast:dead', 100000
local function reportDeath(jobs, meta, channel, id, record, why)
  local head = string.sub(jobs, 1, -5)
  local idHead = redis.call('HGET', head .. 'control', 'onDead')
  if not idHead or optionsOf(record).o then return end
  if tonumber(redis.call('HGET', head .. 'unhandled', DEATHS) or 0) >= MAX_DEATHS then return end
  local failures, crashes, reason = unpack(redis.call('HMGET', meta, 'f' .. id, 'c' .. id, 'r' .. id))
  failures = failures or ''
  local report = id .. '/dead/' .. string.format('%.0f', nowMicros())
  if string.sub(report, 1, #idHead) ~= idHead then report = idHead .. report end
  local options = cjson.encode({n = DEATHS, o = {id, #failures, (tonumber(crashes) or 0) % 1000000, why or reason or ''}})
  redis.call('HSET', jobs, report, string.format('%013.0f', now()) .. '1' .. options .. '\\n' .. failures .. record)
  redis.call('RPUSH', head .. 'high', report)
  wakeWorkers(head .. 'idle', channel, 1)
end
`;

const DIE = `local function dieWith(keys, channel, results, id, record, name, outcome)
  local why = 'the job that it waited for ' .. (outcome == CANCELLED and 'was cancelled: ' or 'is dead: ') .. name
  if undoes(keys.jobs, keys.meta, id, why) then return true end
  redis.call('HSET', keys.meta, 'r' .. id, why)
  reportDeath(keys.jobs, keys.meta, channel, id, record)
  redis.call('ZADD', keys.dead, now(), id)
  freeUnique(keys.unique, optionsOf(record).u or '', id)
  tellParents(keys.letters, record, 'd', '')
  redis.call('PUBLISH', channel, results .. id)
  noteEvent(keys.jobs, channel, 'dead', id, record)
  return false
end
`;

const RETENTION = `local MAX_TRIMMED = 20
local function surplus(ended, count, ageMs)
  local old = ageMs > 0 and redis.call('ZCOUNT', ended, '-inf', now() - ageMs) or 0
  local more = count >= 0 and redis.call('ZCARD', ended) - count or 0
  local most = math.min(math.max(old, more), MAX_TRIMMED)
  if most <= 0 then return {} end
  local ids = redis.call('ZRANGE', ended, 0, most - 1)
  redis.call('ZREM', ended, unpack(ids))
  return ids
end
local function bury(jobs, meta, dead, id, count, ageMs)
  redis.call('ZADD', dead, now(), id)
  local over = surplus(dead, count, ageMs)
  if #over == 0 then return end
  for _, gone in ipairs(over) do
    local record = redis.call('HGET', jobs, gone)
    if record and tonumber(string.sub(record, 14, 14)) > 3 then
      local head, group = string.sub(jobs, 1, -5), groupOf(record)
      if leftHead(head, group, gone) then readyGroup(head, group) end
    end
  end
  forget(jobs, meta, over)
end
local function dropKept(kept, ids)
  for _, id in ipairs(ids) do redis.call('HDEL', kept, 'r' .. id, 'o' .. id, 'l' .. id) end
end
local function keep(jobs, meta, id, record, outcome, count, ageMs)
  local head = string.sub(jobs, 1, -5)
  local completed, kept = head .. 'completed', head .. 'kept'
  redis.call('ZADD', completed, now(), id)
  redis.call('HSET', kept, 'r' .. id, record, 'o' .. id, outcome)
  local logs = redis.call('HGET', meta, 'l' .. id)
  if logs then redis.call('HSET', kept, 'l' .. id, logs) else redis.call('HDEL', kept, 'l' .. id) end
  dropKept(kept, surplus(completed, count, ageMs))
  for _, key in ipairs({completed, kept}) do
    if ageMs > 0 then redis.call('PEXPIRE', key, ageMs) else redis.call('PERSIST', key) end
  end
end
`;

const WAITS_FOR = `local function waitsFor(jobs, meta, id)
  local left, fate, name, outcome = pendingOf(jobs, meta, id), nil, nil, nil
  local children, early = string.sub(jobs, 1, -5) .. 'children:' .. id, redis.call('HGET', meta, 'e' .. id)
  local told = early and redis.call('HGET', children, early)
  if early then redis.call('HDEL', meta, 'e' .. id) end
  local status, rest = string.sub(told or '', 1, 1), string.sub(told or '', 2)
  if status == 'f' then
    redis.call('HSET', children, early, 'd' .. rest)
    fate = 'f'
    name, outcome = string.match(rest, '^([^\\n]*)\\n?(.*)$')
  elseif status == 'c' then
    redis.call('HSET', children, early, 'C' .. rest)
    fate = 'c'
  end
  return left, fate, name, outcome
end
`;

const SCHEDULE_JOB = `local function addScheduled(jobs, channel, lanes, record, id, scheduledFor)
  local lane, options, from = string.match(record, '^(%d)([^\\n]*)\\n[^\\n]*\\n()')
  local job = string.format('%013.0f', now()) .. lane .. '{"s":' .. string.format('%.0f', scheduledFor) .. options .. '}\\n'
  local added = job .. string.sub(record, from)
  if redis.call('HSETNX', jobs, id, added) == 0 then return false end
  place(jobs, lanes, added, id)
  noteEvent(jobs, channel, 'added', id, added)
  return true
end
`;

const SCHEDULE_STATE = `local VERSION, NEXT, DUE, PAUSED, RUNS, MISSED, SKIPPED, LATE, LAST, LATE_MS, HELD = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local function parseState(text)
  local state = {}
  for part in string.gmatch(text, '%S+') do state[#state + 1] = #state == 0 and part or tonumber(part) end
  return state
end
local function formatState(state)
  local parts = {state[VERSION]}
  for at = NEXT, HELD do parts[at] = string.format('%.0f', state[at]) end
  return table.concat(parts, ' ')
end
`;

export interface AddKeys {
  readonly operation: Arg;
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly unique: Arg;
  readonly windows: Arg;
  readonly idle: Arg;
}

export interface AddArgs {
  readonly operationTtlMs: number;
  readonly channel: string;
  /** some of the ids are the callers' own */
  readonly given: boolean;
  /** of the queue; 0: none */
  readonly maxWaiting: number;
  /** of each job: id, lane (1 to 3, 4 to 6 in a group), due (empty, +milliseconds from now, or milliseconds since 1970), unique key or empty, for how long it is taken (0: until the job is over), group or empty, record without the time */
  readonly fields: readonly Arg[];
}

export type AddResult = string[];

/**
 * Add jobs, all of them in one step.
 * A repetition of the call (`operation` is known) adds nothing and is answered like the first time. A job whose id or
 * unique key is taken is left out, and so is one for which there is no room: the reply has its place in the call, counted from 0, and the id of
 * the job in its way, which is empty where there is no room.
 */
export const add: Script<AddKeys, AddArgs, AddResult> = {
  class: "dedupable",
  name: "queue.add",
  sha1: "f296f98c84e16d890c2f2c5d0afa380108b24430",
  lua: `-- queue.add
${NOW}${IDLE}${OPTIONS}${EVENTS}${GROUPS}local operation, jobs, urgent, normal, low, delayed, unique, windows, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local operationTtlMs, channel, given, maxWaiting = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
local fields = {}
for i = 5, #ARGV do fields[i - 4] = ARGV[i] end
local before = redis.call('GET', operation)
if before then return cjson.decode(before) end
local lanes, taken, ids, head = {urgent, normal, low}, {}, {}, string.sub(jobs, 1, -5)
if given then
  for at = 1, #fields, 7 do ids[#ids + 1] = fields[at] end
  local found = redis.call('HMGET', jobs, unpack(ids))
  for at, id in ipairs(ids) do taken[id] = found[at] and true or nil end
end
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
    if ready == 0 and (not first or soonest < tonumber(first)) then ready = 1 end
  end
end
for at = 1, #records, 2 do noteEvent(jobs, channel, 'added', records[at], records[at + 1]) end
redis.call('SET', operation, #refused == 0 and '[]' or cjson.encode(refused), 'PX', operationTtlMs)
if ready > 0 and redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, ready) end
return refused
`,
  encodeKeys(keys, out) {
    out.push(keys.operation, keys.jobs, keys.urgent, keys.normal, keys.low, keys.delayed, keys.unique, keys.windows, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("operationTtlMs", args.operationTtlMs), args.channel, encodeBool(args.given), encodeInt("maxWaiting", args.maxWaiting));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface AppendKeys {
  readonly operations: Arg;
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly idle: Arg;
}

export interface AppendArgs {
  /** its bit */
  readonly call: number;
  readonly operationTtlMs: number;
  readonly channel: string;
  readonly prefix: string;
  /** two characters a job */
  readonly places: string;
  /** lane (1 to 3) of each, a digit a job; or one digit, which is of all */
  readonly lanes: string;
  /** without the time and the lane */
  readonly records: readonly Arg[];
}

export type AppendResult =
  | { readonly status: "ok" };

/**
 * Add jobs that run as soon as possible and have nothing of their own: no id, no unique key, no time. What most jobs are.
 * Their ids are `prefix` and two characters each. A repetition of the call adds nothing: `operations` has a bit for each of some
 * neighbouring calls of one producer, which is much less than a key for each.
 */
export const append: Script<AppendKeys, AppendArgs, AppendResult> = {
  class: "dedupable",
  name: "queue.append",
  sha1: "f49be97d00ab03cfd8b6e6177c6003442f1dcb41",
  lua: `-- queue.append
${NOW}${IDLE}local operations, jobs, urgent, normal, low, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local call, operationTtlMs, channel, prefix, places, lanes = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local records = {}
for i = 7, #ARGV do records[i - 6] = ARGV[i] end
if redis.call('SETBIT', operations, call, 1) == 1 then return 'ok' end
redis.call('PEXPIRE', operations, operationTtlMs)
local stamp, stored, heads, waiting = string.format('%013.0f', now()), {}, {}, {{}, {}, {}}
for lane = 1, 3 do heads[lane] = stamp .. lane end
local all = #lanes == 1 and tonumber(lanes)
for at, record in ipairs(records) do
  local lane = all or tonumber(string.sub(lanes, at, at))
  local id, ids = prefix .. string.sub(places, at * 2 - 1, at * 2), waiting[lane]
  ids[#ids + 1], stored[at * 2 - 1], stored[at * 2] = id, id, heads[lane] .. record
end
redis.call('HSET', jobs, unpack(stored))
for lane, ids in ipairs(waiting) do
  if #ids > 0 then redis.call('RPUSH', ({urgent, normal, low})[lane], unpack(ids)) end
end
if redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, #records) end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.operations, keys.jobs, keys.urgent, keys.normal, keys.low, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("call", args.call), encodeInt("operationTtlMs", args.operationTtlMs), args.channel, args.prefix, args.places, args.lanes);
    for (const each of args.records) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface CancelKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly workers: Arg;
  readonly idle: Arg;
  readonly letters: Arg;
}

export interface CancelArgs {
  readonly channel: string;
  /** for how long an outcome waits to be read */
  readonly keepMs: number;
  /** for how long a job that is not there yet is not added by the flow that it belongs to; 0: it may be */
  readonly barMs: number;
  readonly outcome: Arg;
  readonly ids: readonly string[];
}

export type CancelResult =
  | { readonly status: "ok"; readonly answers: string[]; readonly letters: number };

/**
 * Cancel jobs: one that waits or is delayed is over at once; one that runs is marked, and its worker is told.
 * `outcome` is for those who wait for the result; where it lies there already, a repetition is answered like the first time.
 * A dead job is over already: `missing`.
 */
export const cancel: Script<CancelKeys, CancelArgs, CancelResult> = {
  class: "idempotent",
  name: "queue.cancel",
  sha1: "2ebc969342d25215792455494ac5dd4511e3dae9",
  lua: `-- queue.cancel
${NOW}${IDLE}${FORGET}${WORKER_OF}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${GHOSTS}${UNPLACE}${LETTERS}${GIVE_UP}${CANCELLED}${CANCEL_JOB}local jobs, meta, urgent, normal, low, dead, unique, workers, idle, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local channel, keepMs, barMs, outcome = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local ids = {}
for i = 5, #ARGV do ids[i - 4] = ARGV[i] end
local head, answers = string.sub(jobs, 1, -5), {}
local keys = {
  jobs = jobs, meta = meta, dead = dead, unique = unique, workers = workers, idle = idle, letters = letters, lanes = {urgent, normal, low},
}
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  if record then
    answers[at] = cancelJob(keys, channel, id, record, keepMs, outcome) or 'missing'
  else
    if barMs > 0 then redis.call('SET', head .. 'op:' .. id, '1', 'PX', barMs) end
    answers[at] = redis.call('GET', head .. 'result:' .. id) == outcome and 'ok' or 'missing'
  end
end
return {'ok', answers, redis.call('HLEN', letters)}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.dead, keys.unique, keys.workers, keys.idle, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.channel, encodeInt("keepMs", args.keepMs), encodeInt("barMs", args.barMs), args.outcome);
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", answers: decodeList(fields[1], decodeText), letters: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface CancelsKeys {
  readonly active: Arg;
  readonly meta: Arg;
  readonly control: Arg;
}

export interface CancelsArgs {
  readonly worker: string;
  /** the first fence */
  readonly from: number;
  /** the mark, as the first call of a round returned it; empty for the first one */
  readonly since: string;
  /** an earlier call of the round has found some */
  readonly found: boolean;
}

export type CancelsResult =
  | { readonly status: "ok"; readonly ids: string[]; readonly fences: string[]; readonly outcomes: Buffer[]; readonly next: number; readonly since: string };

/**
 * Which of the jobs that a worker runs are cancelled, and with which outcomes: some of them at a time, by their fences. Where none is, the mark of the
 * worker goes, unless it was set again meanwhile.
 */
export const cancels: Script<CancelsKeys, CancelsArgs, CancelsResult> = {
  class: "idempotent",
  name: "queue.cancels",
  sha1: "4c08cd2b36cfbfb88da228196f0469efcddecc43",
  lua: `-- queue.cancels
local active, meta, control = KEYS[1], KEYS[2], KEYS[3]
local worker, from, since, found = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4] == '1'
local CHUNK = 500
local mark = redis.call('HGET', control, 'x' .. worker) or ''
if since == '' then since = mark end
local ids, fences, outcomes = {}, {}, {}
local flat = redis.call('ZRANGE', active, string.format('%.0f', from), '+inf', 'BYSCORE', 'LIMIT', 0, CHUNK, 'WITHSCORES')
if #flat > 0 then
  local fields = {}
  for at = 1, #flat, 2 do fields[#fields + 1] = 'x' .. flat[at] end
  for at, cancelled in ipairs(redis.call('HMGET', meta, unpack(fields))) do
    if cancelled then
      ids[#ids + 1] = flat[at * 2 - 1]
      fences[#fences + 1] = string.format('%.0f', tonumber(flat[at * 2]))
      outcomes[#outcomes + 1] = string.sub(cancelled, string.find(cancelled, ':', 1, true) + 1)
    end
  end
end
if #flat == CHUNK * 2 then
  local last = tonumber(flat[#flat])
  return {'ok', ids, fences, outcomes, string.format('%.0f', last > from and last or last + 1), since}
end
if not found and #ids == 0 and mark == since then redis.call('HDEL', control, 'x' .. worker) end
return {'ok', ids, fences, outcomes, 0, since}
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.meta, keys.control);
  },
  encodeArgs(args, out) {
    out.push(args.worker, encodeInt("from", args.from), args.since, encodeBool(args.found));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", ids: decodeList(fields[1], decodeText), fences: decodeList(fields[2], decodeText), outcomes: decodeList(fields[3], decodeBytes), next: decodeInt(fields[4]), since: decodeText(fields[5]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ClaimKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly active: Arg;
  readonly workers: Arg;
  readonly idle: Arg;
  readonly control: Arg;
  readonly unique: Arg;
  readonly letters: Arg;
}

export interface ClaimArgs {
  readonly worker: string;
  /** how many jobs it can take */
  readonly slots: number;
  /** for how long it is believed to live */
  readonly leaseMs: number;
  /** for how long it will listen where there is nothing to do; 0: it does not listen */
  readonly idleMs: number;
  /** look for a worker whose lease is over, for letters that lie about, and for jobs of names that their workers did not know */
  readonly sweep: boolean;
  readonly channel: string;
  /** what it listens for */
  readonly wakeKey: string;
  /** unique keys that are free with the acknowledgements */
  readonly uniques: number;
  /** first those keys, each with its job's id; then, for each claim: its fence, how many of its jobs are done, their ids */
  readonly done: readonly string[];
}

export type ClaimResult =
  | { readonly status: "ok"; readonly stale: string[]; readonly held: number; readonly fence: number; readonly dueMs: number; readonly cancels: number; readonly dead: string[]; readonly ids: string[]; readonly records: (Buffer | null)[]; readonly failures: (Buffer | null)[]; readonly crashed: (string | null)[]; readonly letters: number; readonly unhandled: number };

/**
 * Acknowledge jobs that are done and claim others, in one step; and say that this worker lives.
 * A job is its worker's by its place in `active`, whose score is the fence: the server's time of the claim in
 * microseconds. An acknowledgement with another fence is of a claim that is over and changes nothing; its id is in `stale`.
 * `held` counts what the worker holds after the call. `cancels`: since when there is a cancelled one among it, 0: there is none.
 * `dead` names a worker whose lease is over, if it was asked for.
 */
export const claim: Script<ClaimKeys, ClaimArgs, ClaimResult> = {
  class: "unsafe",
  name: "queue.claim",
  sha1: "94174ea4e3378b82c0c4533660ebccd9dfd6ebbf",
  lua: `-- queue.claim
${NOW}${IDLE}${FORGET}${REMEMBERED}${OPTIONS}${WORKER_OF}${GHOSTS}${CANCELLED}${RULES_BEGIN}${GROUPS}${RATE}${TAKE}${RUNS}${HEAL}${RULES_END}local jobs, meta, urgent, normal, low, delayed, active, workers, idle, control, unique, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local worker, slots, leaseMs, idleMs, sweep, channel, wakeKey, uniques = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6], ARGV[7], tonumber(ARGV[8])
local done = {}
for i = 9, #ARGV do done[i - 8] = ARGV[i] end
local lanes, head = {urgent, normal, low}, string.sub(jobs, 1, -5)
redis.call('ZREM', idle, wakeKey)
local isPaused, hasRules, cancels = unpack(redis.call('HMGET', control, 'paused', 'rules', 'x' .. worker))
redis.call('ZADD', workers, now() + leaseMs, worker)
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
if sweep and (hasRules or redis.call('EXISTS', head .. 'known') == 1) then
  redis.call('HSET', control, 'rules', '1')
  rules = rules or loadRules()
  rules.healRules(jobs, workers)
end
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
  local LONG = #ids > 8 and string.rep('-', 65)
  local scored = LONG and {fence, LONG} or {}
  records = redis.call('HMGET', jobs, unpack(ids))
  for at, id in ipairs(ids) do
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
  wakeWorkers(idle, channel, 1)
end
local unhandled = hasMore and slots > 0 and (left > 0 or sweep) and redis.call('HLEN', head .. 'unhandled') or 0
local dueMs = nextMs < math.huge and string.format('%.0f', math.max(nextMs - now(), 0)) or -1
return {
  'ok', stale, redis.call('ZCARD', active), string.format('%.0f', nowMicros()), dueMs, cancels or 0, dead, ids, records,
  failures, crashed, sweep and redis.call('HLEN', letters) or 0, unhandled,
}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.delayed, keys.active, keys.workers, keys.idle, keys.control, keys.unique, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.worker, encodeInt("slots", args.slots), encodeInt("leaseMs", args.leaseMs), encodeInt("idleMs", args.idleMs), encodeBool(args.sweep), args.channel, args.wakeKey, encodeInt("uniques", args.uniques));
    for (const each of args.done) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 12);
        return { status: "ok", stale: decodeList(fields[1], decodeText), held: decodeInt(fields[2]), fence: decodeInt(fields[3]), dueMs: decodeInt(fields[4]), cancels: decodeInt(fields[5]), dead: decodeList(fields[6], decodeText), ids: decodeList(fields[7], decodeText), records: decodeList(fields[8], (part) => decodeOptional(part, decodeBytes)), failures: decodeList(fields[9], (part) => decodeOptional(part, decodeBytes)), crashed: decodeList(fields[10], (part) => decodeOptional(part, decodeText)), letters: decodeInt(fields[11]), unhandled: decodeInt(fields[12]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface CommitKeys {
  readonly operation: Arg;
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly unique: Arg;
  readonly letters: Arg;
  readonly idle: Arg;
  readonly result: Arg;
  readonly written: readonly Arg[];
}

export interface CommitArgs {
  readonly operationTtlMs: number;
  readonly id: string;
  readonly fence: number;
  /** or empty */
  readonly uniqueKey: string;
  /** kept for those who wait for it; or empty */
  readonly outcome: Arg;
  /** for jobs that wait for it; or empty */
  readonly told: Arg;
  readonly keepMs: number;
  readonly channel: string;
  /** of each command: how many words it has, what its key must hold (see `holds`), its words */
  readonly words: readonly Arg[];
}

export type CommitResult =
  | { readonly status: "ok"; readonly replies: Buffer[] }
  | { readonly status: "stale" }
  | { readonly status: "refused"; readonly place: number; readonly reason: string };

/**
 * Acknowledge one job and carry out its handler's own writes, in one step.
 * It checks before it writes: `stale`, the claim is over; `refused`, the command at this place (counted from 1) cannot be carried out, because its
 * key holds something else (`holds`), or because the server said so (`said`) when nothing was written yet. Then nothing changes.
 * A later command that the server refuses all the same has its error as its reply, and the others are carried out.
 * A repetition of the call (`operation` is known) is answered like the first time. Replies: `:` integer, `+` status, `$` bytes, `_` nothing, `-` error.
 */
export const commit: Script<CommitKeys, CommitArgs, CommitResult> = {
  class: "dedupable",
  name: "queue.commit",
  sha1: "8999e04d551a183b783f4a113b95f6ed490f9cd9",
  lua: `-- queue.commit
${NOW}${IDLE}${OPTIONS}${EVENTS}${GROUPS}${RUNS}${FORGET}${LETTERS}local operation, active, jobs, meta, unique, letters, idle, result = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local written = {}
for i = 9, #KEYS do written[i - 8] = KEYS[i] end
local operationTtlMs, id, fence, uniqueKey, outcome, told, keepMs, channel = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]
local words = {}
for i = 9, #ARGV do words[i - 8] = ARGV[i] end
if redis.call('EXISTS', operation) == 1 then return {'ok', redis.call('LRANGE', operation, 1, -1)} end
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
local TYPES = {s = 'string', i = 'string', f = 'string', h = 'hash', H = 'hash', F = 'hash', l = 'list', S = 'set', z = 'zset', x = 'stream'}
local function holds(wanted, command)
  local kind = TYPES[wanted]
  if not kind then return nil end
  local found = redis.call('TYPE', command[2]).ok
  if found == 'none' then return nil end
  if found ~= kind then return 'a ' .. found end
  local value = '0'
  if wanted == 'i' or wanted == 'f' then value = redis.call('GET', command[2]) end
  if wanted == 'H' or wanted == 'F' then value = redis.call('HGET', command[2], command[3]) or '0' end
  if (wanted == 'i' or wanted == 'H') and not string.find(value, '^-?%d+$') then return 'no integer' end
  if (wanted == 'f' or wanted == 'F') and not tonumber(value) then return 'no number' end
end
local commands, at = {}, 1
while at <= #words do
  local count, wanted = tonumber(words[at]), words[at + 1]
  local command = {unpack(words, at + 2, at + 1 + count)}
  commands[#commands + 1] = command
  local wrong = holds(wanted, command)
  if wrong then return {'refused', #commands, 'holds ' .. wrong} end
  at = at + 2 + count
end
redis.call('RPUSH', operation, '')
redis.call('PEXPIRE', operation, operationTtlMs)
local hasWritten = false
for place, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  local kind = type(reply)
  local text
  if kind == 'number' then text = string.format(':%.0f', reply)
  elseif kind == 'string' then text = '$' .. reply
  elseif kind == 'table' and reply.ok then text = '+' .. reply.ok
  elseif kind == 'table' and reply.err then
    if not hasWritten then
      redis.call('DEL', operation)
      return {'refused', place, 'said ' .. reply.err}
    end
    text = '-' .. reply.err
  else text = '_' end
  if string.sub(text, 1, 1) ~= '-' then hasWritten = true end
  redis.call('RPUSH', operation, text)
end
local record = redis.call('HGET', jobs, id)
redis.call('ZREM', active, id)
if record then tellParents(letters, record, 'o', told) end
forget(jobs, meta, {id})
freeUnique(unique, uniqueKey, id)
if outcome ~= '' then
  redis.call('SET', result, outcome, 'PX', keepMs)
  redis.call('PUBLISH', channel, result)
end
if record then noteEvent(jobs, channel, 'completed', id, record) end
wakeWorkers(idle, channel, endRuns(jobs, {id}))
return {'ok', redis.call('LRANGE', operation, 1, -1)}
`,
  encodeKeys(keys, out) {
    out.push(keys.operation, keys.active, keys.jobs, keys.meta, keys.unique, keys.letters, keys.idle, keys.result);
    for (const each of keys.written) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("operationTtlMs", args.operationTtlMs), args.id, encodeInt("fence", args.fence), args.uniqueKey, args.outcome, args.told, encodeInt("keepMs", args.keepMs), args.channel);
    for (const each of args.words) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", replies: decodeList(fields[1], decodeBytes) };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      case "refused":
        expectFields(fields, 2);
        return { status: "refused", place: decodeInt(fields[1]), reason: decodeText(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale, refused", reply);
    }
  },
};

export interface CountsKeys {
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly dead: Arg;
  readonly completed: Arg;
  readonly workers: Arg;
  readonly control: Arg;
  readonly blocked: Arg;
}

export interface CountsArgs {
  /** what died longer ago is not kept; 0: for ever */
  readonly deadAgeMs: number;
  /** the same of what ended well */
  readonly keepAgeMs: number;
}

export type CountsResult =
  | { readonly status: "ok"; readonly waiting: number; readonly delayed: number; readonly active: number; readonly dead: number; readonly completed: number; readonly blocked: number; readonly workers: number; readonly unhandled: number; readonly paused: boolean; readonly oldestMs: number; readonly nowMs: number };

/** How many jobs are in each state, and the time at which the oldest waiting one was added (0: none waits). */
export const counts: Script<CountsKeys, CountsArgs, CountsResult> = {
  class: "read",
  name: "queue.counts",
  sha1: "65035ef595be41c4c2cdb8ec9367cc4233f029dd",
  lua: `-- queue.counts
${NOW}local jobs, urgent, normal, low, delayed, dead, completed, workers, control, blocked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local deadAgeMs, keepAgeMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local waiting, oldest = 0, nil
local head = string.sub(jobs, 1, -5)
local next_ = redis.call('ZRANGE', head .. 'groups', 0, 0)[1]
local heads = {next_ and redis.call('ZRANGE', head .. 'group:' .. next_, 0, 0)[1] or ''}
for _, lane in ipairs({urgent, normal, low}) do
  waiting = waiting + redis.call('LLEN', lane)
  for _, id in ipairs(redis.call('LRANGE', lane, 0, 9)) do heads[#heads + 1] = id end
end
for _, id in ipairs(heads) do
  local record = redis.call('HGET', jobs, id)
  local added = record and tonumber(string.sub(record, 1, 13))
  if added and (not oldest or added < oldest) then oldest = added end
end
waiting = math.max(waiting - tonumber(redis.call('HGET', head .. 'ghosts', '') or 0), 0) + math.max(tonumber(redis.call('HGET', control, 'grouped') or 0), 0)
local unhandled = 0
for _, count in ipairs(redis.call('HVALS', head .. 'unhandled')) do unhandled = unhandled + tonumber(count) end
local active = 0
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  active = active + redis.call('ZCARD', head .. 'active:' .. worker)
end
local function kept(ended, ageMs)
  if ageMs == 0 then return redis.call('ZCARD', ended) end
  return redis.call('ZCOUNT', ended, '(' .. string.format('%.0f', now() - ageMs), '+inf')
end
return {
  'ok', waiting, redis.call('ZCARD', delayed), active, kept(dead, deadAgeMs), kept(completed, keepAgeMs),
  redis.call('HLEN', blocked), redis.call('ZCOUNT', workers, now(), '+inf'), unhandled,
  redis.call('HEXISTS', control, 'paused'),
  oldest or 0, now(),
}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.urgent, keys.normal, keys.low, keys.delayed, keys.dead, keys.completed, keys.workers, keys.control, keys.blocked);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("deadAgeMs", args.deadAgeMs), encodeInt("keepAgeMs", args.keepAgeMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 11);
        return { status: "ok", waiting: decodeInt(fields[1]), delayed: decodeInt(fields[2]), active: decodeInt(fields[3]), dead: decodeInt(fields[4]), completed: decodeInt(fields[5]), blocked: decodeInt(fields[6]), workers: decodeInt(fields[7]), unhandled: decodeInt(fields[8]), paused: decodeBool(fields[9]), oldestMs: decodeInt(fields[10]), nowMs: decodeInt(fields[11]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface DrainKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly unique: Arg;
  readonly letters: Arg;
}

export interface DrainArgs {
  readonly most: number;
  /** groups up to this one have been looked at */
  readonly behind: string;
  readonly channel: string;
}

export type DrainResult =
  | { readonly status: "ok"; readonly looked: number; readonly dropped: number; readonly behind: string; readonly letters: number };

/**
 * Drop up to `most` jobs that wait, or that are delayed where none waits. Returns how many it looked at, how many it dropped, and up to
 * which group there is none left: the next call goes on behind it. It is over where nothing was looked at and that is as before.
 */
export const drain: Script<DrainKeys, DrainArgs, DrainResult> = {
  class: "idempotent",
  name: "queue.drain",
  sha1: "55967fed8001c59148948e979f1a3243e6478a04",
  lua: `-- queue.drain
${NOW}${FORGET}${WORKER_OF}${OPTIONS}${EVENTS}${GROUPS}${GHOSTS}${LETTERS}local jobs, meta, urgent, normal, low, delayed, unique, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local most, behind, channel = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local ids, looked, hasMoved = {}, 0, false
local taken = redis.call('LMPOP', 3, urgent, normal, low, 'LEFT', 'COUNT', most)
if taken then
  looked = #taken[2]
  ids = genuine(jobs, taken[1] == urgent and 1 or taken[1] == normal and 2 or 3, taken[2], {})
else
  local head, MAX_GROUPS = string.sub(jobs, 1, -5), 200
  for _, group in ipairs(redis.call('ZRANGE', head .. 'known', '(' .. behind, '+', 'BYLEX', 'LIMIT', 0, MAX_GROUPS)) do
    for _, id in ipairs(redis.call('ZRANGE', head .. 'group:' .. group, 0, most - looked - 1)) do
      leaveGroup(head, group, id)
      looked = looked + 1
      ids[looked] = id
    end
    if looked == most then break end
    behind, hasMoved = group, true
  end
end
if looked == 0 and not hasMoved then
  local members = redis.call('ZRANGE', delayed, 0, most - 1)
  looked = #members
  for at, member in ipairs(members) do ids[at] = string.sub(member, 2) end
  if looked > 0 then redis.call('ZREM', delayed, unpack(members)) end
end
if #ids == 0 then return {'ok', looked, 0, behind, 0} end
local dropped = 0
for at, record in ipairs(redis.call('HMGET', jobs, unpack(ids))) do
  if record then
    dropped = dropped + 1
    tellParents(letters, record, 'd', '')
    freeUnique(unique, optionsOf(record).u or '', ids[at])
    noteEvent(jobs, channel, 'removed', ids[at], record)
  end
end
forget(jobs, meta, ids)
return {'ok', looked, dropped, behind, redis.call('HLEN', letters)}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.delayed, keys.unique, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most), args.behind, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 4);
        return { status: "ok", looked: decodeInt(fields[1]), dropped: decodeInt(fields[2]), behind: decodeText(fields[3]), letters: decodeInt(fields[4]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface EnterKeys {
  readonly operation: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly unique: Arg;
  readonly windows: Arg;
  readonly reruns: Arg;
  readonly workers: Arg;
  readonly idle: Arg;
}

export interface EnterArgs {
  readonly operationTtlMs: number;
  readonly channel: string;
  /** for how long the outcome of a cancelled one waits to be read */
  readonly keepMs: number;
  /** of a cancelled one */
  readonly outcome: Arg;
  /** of each job: id, lane, due (empty, +milliseconds from now, or milliseconds since 1970), unique key, mode, record without the time */
  readonly fields: readonly Arg[];
}

export type EnterResult = string[];

/**
 * Add jobs whose unique keys do more than keep others out. Where the job that has the key
 * waits or is delayed: `p` (replace) and `c` (cancel the running one) put this one's record and time in its place; `r` (rerun) leaves it.
 * runs, or sleeps between its steps: `p` leaves it; `r` has this one wait for its end, in place of another one that does so; `c` cancels it, and this one takes the key.
 * A repetition of the call (`operation` is known) changes nothing and is answered like the first time: a status and an id per job.
 */
export const enter: Script<EnterKeys, EnterArgs, EnterResult> = {
  class: "dedupable",
  name: "queue.enter",
  sha1: "5af4fee6eb820f882a6781c37c0a722564ed7ada",
  lua: `-- queue.enter
${NOW}${IDLE}${WORKER_OF}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${GHOSTS}${UNPLACE}${LETTERS}${FORGET}${GIVE_UP}${BEGUN}${CANCELLED}${CANCEL_JOB}local operation, jobs, meta, urgent, normal, low, delayed, unique, windows, reruns, workers, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local operationTtlMs, channel, keepMs, outcome = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local fields = {}
for i = 5, #ARGV do fields[i - 4] = ARGV[i] end
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
`,
  encodeKeys(keys, out) {
    out.push(keys.operation, keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.delayed, keys.unique, keys.windows, keys.reruns, keys.workers, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("operationTtlMs", args.operationTtlMs), args.channel, encodeInt("keepMs", args.keepMs), args.outcome);
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface EventsKeys {
  readonly events: Arg;
  readonly max: Arg;
  readonly watched: Arg;
}

export interface EventsArgs {
  /** for how long events are noted if no process asks for them again */
  readonly keepMs: number;
  /** how many are kept, about */
  readonly most: number;
  readonly watchMs: number;
  /** a place */
  readonly after: string;
  readonly count: number;
}

export type EventsResult =
  | { readonly status: "ok"; readonly first: number; readonly total: number; readonly last: string; readonly found: Buffer[] };

/**
 * Return what has happened to jobs since a place in a queue partition's events. Where that is nothing, the next event wakes the reader.
 * Events are counted from 1, whatever was trimmed since: `first` is the number of the oldest one that is kept, `total` how many there ever were.
 * `last` is the place of the latest one. Each event: its place, kind, job, name, detail.
 */
export const events: Script<EventsKeys, EventsArgs, EventsResult> = {
  class: "idempotent",
  name: "queue.events",
  sha1: "9350189b78d63d13f2dc67421574acf904b66c5d",
  lua: `-- queue.events
local events, max, watched = KEYS[1], KEYS[2], KEYS[3]
local keepMs, most, watchMs, after, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
redis.call('SET', max, most, 'PX', keepMs)
local first, total, last, found = 1, 0, '0-0', {}
if redis.call('EXISTS', events) == 1 then
  local info, about = redis.call('XINFO', 'STREAM', events), {}
  for at = 1, #info, 2 do about[info[at]] = info[at + 1] end
  total, last = about['entries-added'], about['last-generated-id']
  first = total - about['length'] + 1
  for _, entry in ipairs(redis.call('XRANGE', events, '(' .. after, '+', 'COUNT', count)) do
    local fields = entry[2]
    for _, part in ipairs({entry[1], fields[2], fields[4], fields[6], fields[8]}) do found[#found + 1] = part end
  end
end
if #found == 0 then redis.call('SET', watched, '1', 'PX', watchMs) end
return {'ok', first, total, last, found}
`,
  encodeKeys(keys, out) {
    out.push(keys.events, keys.max, keys.watched);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMs", args.keepMs), encodeInt("most", args.most), encodeInt("watchMs", args.watchMs), args.after, encodeInt("count", args.count));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 4);
        return { status: "ok", first: decodeInt(fields[1]), total: decodeInt(fields[2]), last: decodeText(fields[3]), found: decodeList(fields[4], decodeBytes) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface FindKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly kept: Arg;
  readonly completed: Arg;
}

export interface FindArgs {
  /** what ended longer ago is not kept; 0: for ever */
  readonly keepAgeMs: number;
  readonly id: string;
}

export type FindResult =
  | { readonly status: "missing" }
  | { readonly status: "ok"; readonly row: Buffer[] };

/** A job and where it is: among those that are not over, else among those that are kept. */
export const find: Script<FindKeys, FindArgs, FindResult> = {
  class: "read",
  name: "queue.find",
  sha1: "55deecad04ff71e5deafd653db236250e37a9cec",
  lua: `-- queue.find
${NOW}${WORKER_OF}${OPTIONS}${STATE_OF}local jobs, meta, kept, completed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local keepAgeMs, id = tonumber(ARGV[1]), ARGV[2]
local record = redis.call('HGET', jobs, id)
if record then
  local state, at = stateOf(jobs, id, record)
  return {'ok', rowsOf(meta, state, {id}, {at}, {record})}
end
local ended = redis.call('ZSCORE', completed, id)
if not ended or keepAgeMs > 0 and tonumber(ended) <= now() - keepAgeMs then return 'missing' end
local of = redis.call('HMGET', kept, 'r' .. id, 'o' .. id)
if not of[1] then return 'missing' end
return {'ok', {'completed', string.format('%.0f', tonumber(ended)), of[1], '', '0', '', of[2] or '', ''}}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.kept, keys.completed);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepAgeMs", args.keepAgeMs), args.id);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", row: decodeList(fields[1], decodeBytes) };
      default:
        throw new UnexpectedReplyError("one of missing, ok", reply);
    }
  },
};

export interface FlowAddKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly idle: Arg;
  readonly blocked: Arg;
}

export interface FlowAddArgs {
  readonly channel: string;
  /** the key that says that their batch is open, or empty: they are added only where it is not there yet */
  readonly batch: string;
  readonly openMs: number;
  readonly operationTtlMs: number;
  /** of each job: id, lane, due as in `add`, record without the time, those it waits for as JSON */
  readonly fields: readonly Arg[];
}

export type FlowAddResult = number;

/**
 * Add jobs of a flow: those that wait for none are ready or delayed. A job that is there already, or was added a moment ago and is over by now, is
 * left as it is: the request may come twice, and from two that carry out one plan.
 */
export const flowAdd: Script<FlowAddKeys, FlowAddArgs, FlowAddResult> = {
  class: "idempotent",
  name: "queue.flowAdd",
  sha1: "8106453649b37d3d9847b4d6c22eeadeb8ed64ee",
  lua: `-- queue.flowAdd
${NOW}${PENDING}${BLOCK}${IDLE}${OPTIONS}${EVENTS}${GROUPS}${PLACE}local jobs, meta, urgent, normal, low, delayed, idle, blocked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local channel, batch, openMs, operationTtlMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local fields = {}
for i = 5, #ARGV do fields[i - 4] = ARGV[i] end
if batch ~= '' and not redis.call('SET', batch, '1', 'NX', 'PX', openMs) then return 0 end
local operation, stamp, ready = string.sub(jobs, 1, -5) .. 'op:', string.format('%013.0f', now()), 0
for at = 1, #fields, 5 do
  local id, lane, due, record, waits = unpack(fields, at, at + 4)
  local isNew = redis.call('SET', operation .. id, '1', 'NX', 'PX', operationTtlMs)
  if isNew and redis.call('HSETNX', jobs, id, stamp .. lane .. record) == 1 then
    noteEvent(jobs, channel, 'added', id, stamp .. lane .. record)
    if waits ~= '[]' then
      block(jobs, meta, blocked, id, cjson.decode(waits))
    elseif due == '' then
      if place(jobs, {urgent, normal, low}, stamp .. lane .. record, id) then ready = ready + 1 end
    else
      local dueMs = string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due)
      redis.call('ZADD', delayed, dueMs, lane .. id)
      ready = ready + 1
    end
  end
end
if ready > 0 then wakeWorkers(idle, channel, ready) end
return ready
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.delayed, keys.idle, keys.blocked);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.batch, encodeInt("openMs", args.openMs), encodeInt("operationTtlMs", args.operationTtlMs));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface FlowEndedKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly idle: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly blocked: Arg;
  readonly letters: Arg;
}

export interface FlowEndedArgs {
  readonly channel: string;
  /** what the keys of outcomes begin with */
  readonly results: string;
  /** for how long the name of a batch that is closed stays taken */
  readonly closedMs: number;
  /** of each: the waiting job, policy (f: it dies with this one; i: it goes on; c: it starts at once; s: it is dropped where this one died; d: it is dropped unless one died), reference, status, outcome */
  readonly fields: readonly Arg[];
}

export type FlowEndedResult = number;

/** Tell jobs that others for which they wait have ended. What was told before, or to a job that is over, changes nothing. */
export const flowEnded: Script<FlowEndedKeys, FlowEndedArgs, FlowEndedResult> = {
  class: "idempotent",
  name: "queue.flowEnded",
  sha1: "131f26086213e11b7f526c190e5b7f27b76a07ee",
  lua: `-- queue.flowEnded
${NOW}${IDLE}${OPTIONS}${EVENTS}${DEATHS}${GROUPS}${PLACE}${LETTERS}${FORGET}${GIVE_UP}${DIE}local jobs, meta, urgent, normal, low, idle, dead, unique, blocked, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local channel, results, closedMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local fields = {}
for i = 4, #ARGV do fields[i - 3] = ARGV[i] end
redis.call('HDEL', blocked, '')
local function unblock(id)
  redis.call('HDEL', blocked, id)
  redis.call('ZREM', blocked .. 'At', id)
end
local released, keys = 0, {jobs = jobs, meta = meta, dead = dead, unique = unique, letters = letters}
local function release(id, record, inFront)
  unblock(id)
  if place(jobs, {urgent, normal, low}, record, id, inFront) then released = released + 1 end
end
local function drop(id, record)
  unblock(id)
  forget(jobs, meta, {id})
  noteEvent(jobs, channel, 'removed', id, record)
end
local function die(id, record, name, outcome)
  unblock(id)
  if dieWith(keys, channel, results, id, record, name, outcome) then release(id, record, true) end
end
local function mend(children, id, ref, waits, isWaiting, outcome)
  if not isWaiting and not redis.call('ZSCORE', dead, id) then return end
  redis.call('HSET', children, ref, 'o' .. string.match(waits, '^.([^\\n]*)') .. '\\n' .. outcome)
end
local function markOf(policy, status, isWaiting)
  if status ~= 'd' then return status end
  if policy == 'c' then return isWaiting and 'C' or 'c' end
  return policy == 'f' and not isWaiting and 'f' or 'd'
end
local function told(id, policy, ref, status, outcome)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  if ref == 'open' then
    redis.call('PEXPIRE', string.sub(jobs, 1, -5) .. 'batch:' .. string.match(id, '^(.*)/'), closedMs)
  end
  local waits = redis.call('HGET', children, ref)
  if not waits then return end
  local known, isWaiting = string.sub(waits, 1, 1), redis.call('HEXISTS', blocked, id) == 1
  if known ~= '?' then
    if status == 'o' and known ~= 'o' then mend(children, id, ref, waits, isWaiting, outcome) end
    return
  end
  local name = string.sub(waits, 2)
  local mark = markOf(policy, status, isWaiting)
  redis.call('HSET', children, ref, mark .. name .. '\\n' .. outcome)
  redis.call('HINCRBY', meta, 'k' .. id, -1)
  if mark == 'f' then redis.call('HSET', meta, 'e' .. id, ref) end
  if mark == 'c' then redis.call('HSETNX', meta, 'e' .. id, ref) end
  if not isWaiting then return end
  local record = redis.call('HGET', jobs, id)
  if not record then
    unblock(id)
    redis.call('UNLINK', children)
    return
  end
  local left = redis.call('HINCRBY', blocked, id, -1)
  if status == 'd' then
    if policy == 'f' then return die(id, record, name, outcome) end
    if policy == 'c' or policy == 'd' then return release(id, record) end
    if policy == 's' then return drop(id, record) end
  end
  if left > 0 then return end
  if policy == 'd' then return drop(id, record) end
  release(id, record)
end
for at = 1, #fields, 5 do told(unpack(fields, at, at + 4)) end
if released > 0 then wakeWorkers(idle, channel, released) end
return redis.call('HLEN', letters)
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.idle, keys.dead, keys.unique, keys.blocked, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.results, encodeInt("closedMs", args.closedMs));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface FlowExtendKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly blocked: Arg;
  readonly active: Arg;
  readonly letters: Arg;
  readonly plan: Arg;
  /** those that they wait for, of a plan that was written down before */
  readonly staged: Arg;
}

export interface FlowExtendArgs {
  readonly fence: number;
  /** ids */
  readonly parents: unknown;
  /** a reference for which they must wait still; or empty */
  readonly open: string;
  /** the key that says that their batch is open, or empty */
  readonly batch: string;
  readonly openMs: number;
  /** references and names, alternating; of each of the parents */
  readonly waits: unknown;
  readonly letter: string;
  /** how many jobs of the plan were written down before; 0: none, it comes with this call */
  readonly written: number;
  /** and how many they wait for */
  readonly links: number;
  /** the first reference of these */
  readonly first: string;
  readonly nodes: readonly Arg[];
}

export type FlowExtendResult =
  | { readonly status: "ok" }
  | { readonly status: "stale" }
  | { readonly status: "lost" };

/** Let jobs wait for more others, and write down the others: one that runs (`fence` is not 0), or those of some that wait still. */
export const flowExtend: Script<FlowExtendKeys, FlowExtendArgs, FlowExtendResult> = {
  class: "idempotent",
  name: "queue.flowExtend",
  sha1: "e2ac356b05e6e7b6292a2d7dfebe3875313de59d",
  lua: `-- queue.flowExtend
${NOW}${PENDING}${BLOCK}local jobs, meta, blocked, active, letters, plan, staged = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local fence, parents, open, batch, openMs, waits, letter, written, links, first = tonumber(ARGV[1]), cjson.decode(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), cjson.decode(ARGV[6]), ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local nodes = {}
for i = 11, #ARGV do nodes[i - 10] = ARGV[i] end
local function mayWait(id)
  if fence ~= 0 then
    local held = redis.call('ZSCORE', active, id)
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
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.blocked, keys.active, keys.letters, keys.plan, keys.staged);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("fence", args.fence), encodeJson("parents", args.parents), args.open, args.batch, encodeInt("openMs", args.openMs), encodeJson("waits", args.waits), args.letter, encodeInt("written", args.written), encodeInt("links", args.links), args.first);
    for (const each of args.nodes) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, stale, lost", reply);
    }
  },
};

export interface FlowPlanKeys {
  readonly plan: Arg;
  readonly staged: Arg;
}

export interface FlowPlanArgs {
  readonly ttlMs: number;
  /** how many jobs were written down before */
  readonly before: number;
  /** how many of these are */
  readonly count: number;
  /** jobs; then references and names (with their `?`) of those that are waited for, alternating */
  readonly parts: readonly Arg[];
}

export type FlowPlanResult =
  | { readonly status: "ok" }
  | { readonly status: "lost" };

/** Write down a part of a large plan, before the step that makes it count; what never counts expires. A part that is there already is left as it is. */
export const flowPlan: Script<FlowPlanKeys, FlowPlanArgs, FlowPlanResult> = {
  class: "idempotent",
  name: "queue.flowPlan",
  sha1: "d2d7f6c59c925f2700f354172dc0b30754959a14",
  lua: `-- queue.flowPlan
local plan, staged = KEYS[1], KEYS[2]
local ttlMs, before, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local parts = {}
for i = 4, #ARGV do parts[i - 3] = ARGV[i] end
local written = redis.call('LLEN', plan)
if written < before then return 'lost' end
if written == before and count > 0 then redis.call('RPUSH', plan, unpack(parts, 1, count)) end
if #parts > count then redis.call('HSET', staged, unpack(parts, count + 1, #parts)) end
redis.call('PEXPIRE', plan, ttlMs)
redis.call('PEXPIRE', staged, ttlMs)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.plan, keys.staged);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs), encodeInt("before", args.before), encodeInt("count", args.count));
    for (const each of args.parts) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, lost", reply);
    }
  },
};

export interface FlowRetryKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly dead: Arg;
  readonly blocked: Arg;
}

export interface FlowRetryArgs {
  readonly channel: string;
  readonly id: string;
  /** how it calls them */
  readonly refs: readonly string[];
}

export type FlowRetryResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" };

/** Let a job wait again for those among the others that died, because they are run again; also one that is dead because of them. */
export const flowRetry: Script<FlowRetryKeys, FlowRetryArgs, FlowRetryResult> = {
  class: "idempotent",
  name: "queue.flowRetry",
  sha1: "8157e6bd0cb35c3c236bc5ebead9a1cb8a944b93",
  lua: `-- queue.flowRetry
${NOW}${EVENTS}${PENDING}local jobs, meta, dead, blocked = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, id = ARGV[1], ARGV[2]
local refs = {}
for i = 3, #ARGV do refs[i - 2] = ARGV[i] end
local isDead = redis.call('ZSCORE', dead, id) and redis.call('HEXISTS', meta, 'r' .. id) == 1
if not isDead and redis.call('HEXISTS', blocked, id) == 0 then return 'missing' end
local children = string.sub(jobs, 1, -5) .. 'children:' .. id
local again, before = 0, pendingOf(jobs, meta, id)
for _, ref in ipairs(refs) do
  local told = redis.call('HGET', children, ref)
  if told and not string.find('?o', string.sub(told, 1, 1), 1, true) then
    redis.call('HSET', children, ref, '?' .. string.sub(told, 2, string.find(told, '\\n', 1, true) - 1))
    if redis.call('HGET', meta, 'e' .. id) == ref then redis.call('HDEL', meta, 'e' .. id) end
    again = again + 1
  end
end
local left = before + again
redis.call('HSET', meta, 'k' .. id, left)
if isDead then
  if left == 0 then return 'missing' end
  redis.call('ZREM', dead, id)
  redis.call('HDEL', meta, 'r' .. id)
  noteEvent(jobs, channel, 'retried', id, redis.call('HGET', jobs, id))
  redis.call('HSET', blocked, id, left)
  redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
elseif again > 0 then
  redis.call('HINCRBY', blocked, id, again)
end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.dead, keys.blocked);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.id);
    for (const each of args.refs) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface FlowStartKeys {
  readonly operation: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly blocked: Arg;
  readonly letters: Arg;
  readonly plan: Arg;
  /** those that it waits for, of a plan that was written down before */
  readonly staged: Arg;
}

export interface FlowStartArgs {
  readonly operationTtlMs: number;
  readonly channel: string;
  readonly id: string;
  readonly lane: string;
  /** without the time */
  readonly record: Arg;
  /** references and names of those it waits for, alternating */
  readonly waits: unknown;
  /** by which the plan is found again */
  readonly letter: string;
  /** how many jobs of the plan were written down before; 0: none, it comes with this call */
  readonly written: number;
  /** and how many it waits for */
  readonly links: number;
  /** the plan */
  readonly nodes: readonly Arg[];
}

export type FlowStartResult =
  | { readonly status: "ok" }
  | { readonly status: "duplicate" }
  | { readonly status: "lost" };

/** Add a job that waits for others, and write down the others: they are added from this plan, whatever happens to its writer. */
export const flowStart: Script<FlowStartKeys, FlowStartArgs, FlowStartResult> = {
  class: "dedupable",
  name: "queue.flowStart",
  sha1: "a730855c2439fffb9629ea3aa732f38663b60b7f",
  lua: `-- queue.flowStart
${NOW}${EVENTS}${PENDING}${BLOCK}local operation, jobs, meta, blocked, letters, plan, staged = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local operationTtlMs, channel, id, lane, record, waits, letter, written, links = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[6]), ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local nodes = {}
for i = 10, #ARGV do nodes[i - 9] = ARGV[i] end
if redis.call('EXISTS', operation) == 1 then return 'ok' end
if redis.call('HEXISTS', jobs, id) == 1 then return 'duplicate' end
if written > 0 and (redis.call('LLEN', plan) ~= written or redis.call('HLEN', staged) ~= links) then return 'lost' end
redis.call('SET', operation, '1', 'PX', operationTtlMs)
redis.call('HSET', jobs, id, string.format('%013.0f', now()) .. lane .. record)
block(jobs, meta, blocked, id, waits, false, written > 0 and staged, links)
noteEvent(jobs, channel, 'added', id, string.rep('0', 13) .. lane .. record)
for at = 1, #nodes, 500 do redis.call('RPUSH', plan, unpack(nodes, at, math.min(at + 499, #nodes))) end
redis.call('PERSIST', plan)
redis.call('HSET', letters, letter, now())
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.operation, keys.jobs, keys.meta, keys.blocked, keys.letters, keys.plan, keys.staged);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("operationTtlMs", args.operationTtlMs), args.channel, args.id, args.lane, args.record, encodeJson("waits", args.waits), args.letter, encodeInt("written", args.written), encodeInt("links", args.links));
    for (const each of args.nodes) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "duplicate":
        expectFields(fields, 0);
        return { status: "duplicate" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, duplicate, lost", reply);
    }
  },
};

export interface GroupPauseKeys {
  readonly jobs: Arg;
}

export interface GroupPauseArgs {
  readonly group: string;
}

export type GroupPauseResult =
  | { readonly status: "ok" };

/** Pause a group: none of its jobs is claimed until it is resumed. */
export const groupPause: Script<GroupPauseKeys, GroupPauseArgs, GroupPauseResult> = {
  class: "idempotent",
  name: "queue.groupPause",
  sha1: "77236c2b41c13d91ec3418fd275b7af0c1d527be",
  lua: `-- queue.groupPause
${NOW}${OPTIONS}${GROUPS}local jobs = KEYS[1]
local group = ARGV[1]
haltGroup(string.sub(jobs, 1, -5), group, 'inf')
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs);
  },
  encodeArgs(args, out) {
    out.push(args.group);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface GroupResumeKeys {
  readonly jobs: Arg;
  readonly idle: Arg;
}

export interface GroupResumeArgs {
  readonly group: string;
  readonly channel: string;
}

export type GroupResumeResult =
  | { readonly status: "ok" };

/** Resume a group, from a pause of any kind. */
export const groupResume: Script<GroupResumeKeys, GroupResumeArgs, GroupResumeResult> = {
  class: "idempotent",
  name: "queue.groupResume",
  sha1: "cfafdb1c5b2b34ade51922990d5ced0105beac9d",
  lua: `-- queue.groupResume
${NOW}${IDLE}${OPTIONS}${GROUPS}local jobs, idle = KEYS[1], KEYS[2]
local group, channel = ARGV[1], ARGV[2]
local head = string.sub(jobs, 1, -5)
redis.call('ZREM', head .. 'halted', group)
if readyGroup(head, group) then wakeWorkers(idle, channel, 16) else forgetGroup(head, group) end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.group, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface GroupSetKeys {
  readonly jobs: Arg;
  readonly limits: Arg;
  readonly control: Arg;
  readonly idle: Arg;
}

export interface GroupSetArgs {
  readonly group: string;
  /** as `limitsOf` reads it; empty: none of its own */
  readonly text: string;
  readonly channel: string;
}

export type GroupSetResult =
  | { readonly status: "ok" };

/** Set the limits of a group, or of all without their own (`*`), or take them off; from the next claim on. */
export const groupSet: Script<GroupSetKeys, GroupSetArgs, GroupSetResult> = {
  class: "idempotent",
  name: "queue.groupSet",
  sha1: "e0945fa8a6e3cdb4069576367ef6e4eb6435fd40",
  lua: `-- queue.groupSet
${NOW}${IDLE}${OPTIONS}${GROUPS}local jobs, limits, control, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, text, channel = ARGV[1], ARGV[2], ARGV[3]
local head = string.sub(jobs, 1, -5)
if text == '' then
  redis.call('HDEL', limits, group)
else
  redis.call('HSET', limits, group, text)
end
redis.call('HSET', control, 'rules', '1')
if group == '*' then return 'ok' end
redis.call('ZADD', head .. 'known', 0, group)
redis.call('ZREM', head .. 'later', group)
if not limitsOf(head, group).blocks then redis.call('HDEL', head .. 'heads', group) end
if readyGroup(head, group) then wakeWorkers(idle, channel, 16) else forgetGroup(head, group) end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.limits, keys.control, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.group, args.text, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface GroupsLookKeys {
  readonly known: Arg;
  readonly idle: Arg;
}

export interface GroupsLookArgs {
  readonly cursor: string;
  readonly count: number;
  readonly channel: string;
}

export type GroupsLookResult =
  | { readonly status: "more"; readonly cursor: string }
  | { readonly status: "ok" };

/** Look again at which groups may be claimed from, from behind `cursor`: the limits of those without their own have changed. */
export const groupsLook: Script<GroupsLookKeys, GroupsLookArgs, GroupsLookResult> = {
  class: "idempotent",
  name: "queue.groupsLook",
  sha1: "660fc75af4fd2a43d23e68221c97c5a73adbb520",
  lua: `-- queue.groupsLook
${NOW}${IDLE}${OPTIONS}${GROUPS}local known, idle = KEYS[1], KEYS[2]
local cursor, count, channel = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local head, ready = string.sub(known, 1, -6), 0
local groups = redis.call('ZRANGE', known, '(' .. cursor, '+', 'BYLEX', 'LIMIT', 0, count)
for _, group in ipairs(groups) do
  redis.call('ZREM', head .. 'later', group)
  if not limitsOf(head, group).blocks then redis.call('HDEL', head .. 'heads', group) end
  local isReady, isNew = readyGroup(head, group)
  if isNew then ready = ready + 1 end
end
wakeWorkers(idle, channel, ready)
if #groups == count then return {'more', groups[#groups]} end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.known, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.cursor, encodeInt("count", args.count), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "more":
        expectFields(fields, 1);
        return { status: "more", cursor: decodeText(fields[1]) };
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of more, ok", reply);
    }
  },
};

export interface GroupsPageKeys {
  readonly known: Arg;
}

export interface GroupsPageArgs {
  readonly cursor: string;
  readonly count: number;
}

export type GroupsPageResult = { readonly group: string; readonly waiting: number; readonly running: number; readonly limits: string; readonly haltedMs: string; readonly laterMs: string; readonly dead: string }[];

/** Groups by name, from behind `cursor`: those with jobs, limits or a pause. */
export const groupsPage: Script<GroupsPageKeys, GroupsPageArgs, GroupsPageResult> = {
  class: "read",
  name: "queue.groupsPage",
  sha1: "31e0b3c16d0f588954a4a902e0558442b6ea79a5",
  lua: `-- queue.groupsPage
local known = KEYS[1]
local cursor, count = ARGV[1], tonumber(ARGV[2])
local head, rows = string.sub(known, 1, -6), {}
for _, group in ipairs(redis.call('ZRANGE', known, '(' .. cursor, '+', 'BYLEX', 'LIMIT', 0, count)) do
  local at = #rows
  rows[at + 1], rows[at + 2] = group, redis.call('ZCARD', head .. 'group:' .. group)
  rows[at + 3] = redis.call('HGET', head .. 'places', 'r' .. group) or 0
  rows[at + 4] = redis.call('HGET', head .. 'limits', group) or ''
  rows[at + 5] = redis.call('ZSCORE', head .. 'halted', group) or ''
  rows[at + 6] = redis.call('ZSCORE', head .. 'later', group) or ''
  rows[at + 7] = redis.call('HGET', head .. 'heads', group) or ''
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.known);
  },
  encodeArgs(args, out) {
    out.push(args.cursor, encodeInt("count", args.count));
  },
  decode(reply) {
    return decodeRows(reply, 7, (flat, at) => ({ group: decodeText(flat[at]), waiting: decodeInt(flat[at + 1]), running: decodeInt(flat[at + 2]), limits: decodeText(flat[at + 3]), haltedMs: decodeText(flat[at + 4]), laterMs: decodeText(flat[at + 5]), dead: decodeText(flat[at + 6]) }));
  },
};

export interface HeldKeys {
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
}

export type HeldArgs = None;

export type HeldResult =
  | { readonly status: "ok"; readonly ids: string[]; readonly fences: string[]; readonly records: (Buffer | null)[]; readonly failures: (Buffer | null)[]; readonly crashed: (string | null)[] };

/** What a worker holds: for one that does not know, because the answer to a claim was lost. */
export const held: Script<HeldKeys, HeldArgs, HeldResult> = {
  class: "read",
  name: "queue.held",
  sha1: "72bf96d8b48ac01f97c2ba21c6af0281164e4e04",
  lua: `-- queue.held
${REMEMBERED}local active, jobs, meta = KEYS[1], KEYS[2], KEYS[3]
local MAX_HELD = 1000
local flat = redis.call('ZRANGE', active, 0, MAX_HELD - 1, 'WITHSCORES')
local ids, fences = {}, {}
for at = 1, #flat, 2 do
  ids[#ids + 1] = flat[at]
  fences[#fences + 1] = string.format('%.0f', tonumber(flat[at + 1]))
end
if #ids == 0 then return {'ok', ids, fences, {}, {}, {}} end
return {'ok', ids, fences, redis.call('HMGET', jobs, unpack(ids)), remembered(meta, ids)}
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.jobs, keys.meta);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", ids: decodeList(fields[1], decodeText), fences: decodeList(fields[2], decodeText), records: decodeList(fields[3], (part) => decodeOptional(part, decodeBytes)), failures: decodeList(fields[4], (part) => decodeOptional(part, decodeBytes)), crashed: decodeList(fields[5], (part) => decodeOptional(part, decodeText)) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface HoldKeys {
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly workers: Arg;
}

export interface HoldArgs {
  readonly worker: string;
  readonly id: string;
  readonly fence: number;
  readonly leaseMs: number;
}

export type HoldResult =
  | { readonly status: "stale" }
  | { readonly status: "ok"; readonly leftMs: number; readonly tookMs: number; readonly cancelled: Buffer; readonly record: Buffer; readonly failures: Buffer; readonly crashed: number };

/**
 * A job that is held by a claim, for one who has only its token; and, where `leaseMs` is not 0, the lease of its holder lasts so long from now, or
 * for longer where it does so already. `leftMs` is what is left of the lease, `tookMs` how long the job is held by now; `cancelled` is the outcome of one that
 * is cancelled, or empty. The record and what is kept beside it are empty where it is extended.
 */
export const hold: Script<HoldKeys, HoldArgs, HoldResult> = {
  class: "idempotent",
  name: "queue.hold",
  sha1: "32b162e9918267e8d894446a41e63ba2b993b461",
  lua: `-- queue.hold
${NOW}local active, jobs, meta, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local worker, id, fence, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
local mark = redis.call('HGET', meta, 'x' .. id)
local cancelled = mark and string.sub(mark, string.find(mark, ':', 1, true) + 1) or ''
local tookMs = string.format('%.0f', math.max((nowMicros() - fence) / 1000, 0))
if leaseMs > 0 then
  redis.call('ZADD', workers, 'GT', now() + leaseMs, worker)
  return {'ok', leaseMs, tookMs, cancelled, '', '', 0}
end
local leftMs = math.max(tonumber(redis.call('ZSCORE', workers, worker) or 0) - now(), 0)
local record = redis.call('HGET', jobs, id)
if not record then return 'stale' end
local known = redis.call('HMGET', meta, 'f' .. id, 'c' .. id)
return {'ok', string.format('%.0f', leftMs), tookMs, cancelled, record, known[1] or '', tonumber(known[2] or 0)}
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.jobs, keys.meta, keys.workers);
  },
  encodeArgs(args, out) {
    out.push(args.worker, args.id, encodeInt("fence", args.fence), encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      case "ok":
        expectFields(fields, 6);
        return { status: "ok", leftMs: decodeInt(fields[1]), tookMs: decodeInt(fields[2]), cancelled: decodeBytes(fields[3]), record: decodeBytes(fields[4]), failures: decodeBytes(fields[5]), crashed: decodeInt(fields[6]) };
      default:
        throw new UnexpectedReplyError("one of stale, ok", reply);
    }
  },
};

export interface LeaveKeys {
  readonly workers: Arg;
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly idle: Arg;
  readonly unique: Arg;
  readonly control: Arg;
  readonly letters: Arg;
}

export interface LeaveArgs {
  readonly worker: string;
  readonly channel: string;
  readonly wakeKey: string;
}

export type LeaveResult =
  | { readonly status: "ok"; readonly released: number }
  | { readonly status: "more"; readonly released: number };

/**
 * A worker goes: what it still holds waits again, in front, and uses up no attempt.
 * `more`: it held more jobs than one call takes.
 */
export const leave: Script<LeaveKeys, LeaveArgs, LeaveResult> = {
  class: "idempotent",
  name: "queue.leave",
  sha1: "9941a691e7e559dbe3e7512d6a3492183028dc4c",
  lua: `-- queue.leave
${NOW}${IDLE}${FORGET}${OPTIONS}${EVENTS}${LETTERS}${GIVE_UP}${CANCELLED}${GROUPS}${PLACE}${RUNS}local workers, active, jobs, meta, urgent, normal, low, idle, unique, control, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local worker, channel, wakeKey = ARGV[1], ARGV[2], ARGV[3]
local MAX_JOBS = 100
local ids = redis.call('ZREVRANGE', active, 0, MAX_JOBS - 1)
local mayBeCancelled = cancelsOf(jobs, active)
if #ids > 0 then redis.call('ZREM', active, unpack(ids)) end
local released = 0
endRuns(jobs, ids)
for _, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  local isCancelled = record and mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
  if isCancelled and not undoes(jobs, meta, id, 'it was cancelled') and wasCancelled(jobs, meta, channel, id) then
    tellParents(letters, record, 'd', CANCELLED)
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'cancelled', id, record)
    if freeUnique(unique, optionsOf(record).u or '', id) then released = released + 1 end
  elseif record then
    place(jobs, {urgent, normal, low}, record, id, true)
    released = released + 1
    noteEvent(jobs, channel, 'released', id, record)
  end
end
if released > 0 then wakeWorkers(idle, channel, released) end
if #ids == MAX_JOBS then return {'more', released} end
redis.call('ZREM', workers, worker)
redis.call('HDEL', control, 'x' .. worker)
redis.call('ZREM', idle, wakeKey)
return {'ok', released}
`,
  encodeKeys(keys, out) {
    out.push(keys.workers, keys.active, keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.idle, keys.unique, keys.control, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.worker, args.channel, args.wakeKey);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", released: decodeInt(fields[1]) };
      case "more":
        expectFields(fields, 1);
        return { status: "more", released: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, more", reply);
    }
  },
};

export interface LimitsSetKeys {
  readonly jobs: Arg;
  readonly control: Arg;
  readonly workers: Arg;
  readonly idle: Arg;
}

export interface LimitsSetArgs {
  /** 0: none */
  readonly concurrency: number;
  /** 0: none */
  readonly rate: number;
  readonly perMs: number;
  readonly channel: string;
}

export type LimitsSetResult =
  | { readonly status: "ok" };

/** Set the limits of the whole queue, or take them off; from the next claim on. */
export const limitsSet: Script<LimitsSetKeys, LimitsSetArgs, LimitsSetResult> = {
  class: "idempotent",
  name: "queue.limitsSet",
  sha1: "38954afb5cb1bc587cd9e7d20c8878b648891a79",
  lua: `-- queue.limitsSet
${NOW}${IDLE}local jobs, control, workers, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local concurrency, rate, perMs, channel = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local head = string.sub(jobs, 1, -5)
redis.call('HDEL', control, 'concurrency', 'running', 'rate', 'perMs')
if concurrency > 0 then
  local running = 0
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    running = running + redis.call('ZCARD', head .. 'active:' .. worker)
  end
  redis.call('HSET', control, 'concurrency', concurrency, 'running', running)
end
if rate > 0 then
  redis.call('HSET', control, 'rate', rate, 'perMs', perMs)
else
  redis.call('DEL', head .. 'rate')
end
if concurrency > 0 or rate > 0 or redis.call('EXISTS', head .. 'known') == 1 then
  redis.call('HSET', control, 'rules', '1')
elseif redis.call('HEXISTS', control, 'until') == 0 then
  redis.call('HDEL', control, 'rules')
end
wakeWorkers(idle, channel, 1000)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.control, keys.workers, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("concurrency", args.concurrency), encodeInt("rate", args.rate), encodeInt("perMs", args.perMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface NoteKeys {
  readonly jobs: Arg;
}

export interface NoteArgs {
  readonly channel: string;
  readonly kind: string;
  /** of each job: its id, the name that it was added with or empty, detail */
  readonly fields: readonly string[];
}

export type NoteResult =
  | { readonly status: "ok" };

/** Note events that only a worker knows of. */
export const note: Script<NoteKeys, NoteArgs, NoteResult> = {
  class: "unsafe",
  name: "queue.note",
  sha1: "f1c52f63bf6873896dc563e4297f42a66fa39302",
  lua: `-- queue.note
${EVENTS}local jobs = KEYS[1]
local channel, kind = ARGV[1], ARGV[2]
local fields = {}
for i = 3, #ARGV do fields[i - 2] = ARGV[i] end
for at = 1, #fields, 3 do
  local id, name, detail = unpack(fields, at, at + 2)
  noteEvent(jobs, channel, kind, id, name ~= '' and string.rep('0', 14) .. cjson.encode({n = name}) .. '\\n', detail)
end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.kind);
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ObliterateKeys {
  readonly jobs: Arg;
  readonly workers: Arg;
  readonly parts: readonly Arg[];
}

export interface ObliterateArgs {
  readonly force: boolean;
}

export type ObliterateResult =
  | { readonly status: "ok" }
  | { readonly status: "busy" }
  | { readonly status: "more" };

/**
 * Remove a queue partition with all its jobs: `busy` where some run, unless it is forced. UNLINK leaves the work to a thread of the server.
 * What runs then goes on, and its end changes nothing. `more`: of its groups, which go first, some are left.
 */
export const obliterate: Script<ObliterateKeys, ObliterateArgs, ObliterateResult> = {
  class: "idempotent",
  name: "queue.obliterate",
  sha1: "f946888ea3eeb1cd0428775aacd8d22fd7f7b229",
  lua: `-- queue.obliterate
local jobs, workers = KEYS[1], KEYS[2]
local parts = {}
for i = 3, #KEYS do parts[i - 2] = KEYS[i] end
local force = ARGV[1] == '1'
local head, held = string.sub(jobs, 1, -5), {}
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  local active = head .. 'active:' .. worker
  if redis.call('EXISTS', active) == 1 then held[#held + 1] = active end
end
if #held > 0 and not force then return 'busy' end
for _, key in ipairs(held) do redis.call('UNLINK', key) end
local MAX_GROUPS = 100
local groups = redis.call('ZRANGE', head .. 'known', 0, MAX_GROUPS - 1)
for _, group in ipairs(groups) do redis.call('UNLINK', head .. 'group:' .. group, head .. 'rate:' .. group) end
if #groups == MAX_GROUPS then
  redis.call('ZREMRANGEBYRANK', head .. 'known', 0, MAX_GROUPS - 1)
  return 'more'
end
for _, part in ipairs({'blockedAt', 'groups', 'known', 'later', 'halted', 'heads', 'passed', 'places', 'limits', 'rate'}) do
  redis.call('UNLINK', head .. part)
end
for _, name in ipairs(redis.call('HKEYS', head .. 'unhandled')) do redis.call('UNLINK', head .. 'unhandled:' .. name) end
redis.call('UNLINK', head .. 'unhandled', head .. 'events')
redis.call('UNLINK', jobs, unpack(parts))
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.workers);
    for (const each of keys.parts) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeBool(args.force));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "busy":
        expectFields(fields, 0);
        return { status: "busy" };
      case "more":
        expectFields(fields, 0);
        return { status: "more" };
      default:
        throw new UnexpectedReplyError("one of ok, busy, more", reply);
    }
  },
};

export interface PageKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
}

export interface PageArgs {
  readonly state: string;
  /** what the name of its key ends with; empty: the first one */
  readonly source: string;
  readonly anchor: string;
  readonly at: number;
  readonly count: number;
  /** what ended longer ago is not kept; 0: for ever */
  readonly ageMs: number;
}

export type PageResult =
  | { readonly status: "ok"; readonly source: string; readonly anchor: string; readonly at: string; readonly ids: string[]; readonly rows: Buffer[] };

/**
 * Jobs of one state, as many as `count`: from behind the job `anchor` of `source`, or from the beginning of the source that
 * follows where that is empty. `at` is where the anchor was: its place in its lane, or its score. An answer without a source is the last.
 */
export const page: Script<PageKeys, PageArgs, PageResult> = {
  class: "read",
  name: "queue.page",
  sha1: "443cb26b26c29a4601eb6fc60575e9ad9e3433e1",
  lua: `-- queue.page
${NOW}${WORKER_OF}${OPTIONS}${STATE_OF}local jobs, meta = KEYS[1], KEYS[2]
local state, source, anchor, at, count, ageMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local head = string.sub(jobs, 1, -5)
local sources = {waiting = {'high', 'normal', 'low'}, blocked = {'blockedAt'}}
sources = sources[state] or {state}
if state == 'active' then
  sources = redis.call('ZRANGE', head .. 'workers', 0, -1)
  table.sort(sources)
end
if state == 'unhandled' then
  sources = redis.call('HKEYS', head .. 'unhandled')
  table.sort(sources)
  for at, name in ipairs(sources) do sources[at] = 'unhandled:' .. name end
end
local MAX_BEHIND = 10000
local nextGroup
if state == 'waiting' then
  local MIN_GROUPS = 50
  local most = math.max(count, MIN_GROUPS)
  local from = string.sub(source, 1, 6) == 'group:' and '[' .. string.sub(source, 7) or '-'
  local groups = redis.call('ZRANGE', head .. 'known', from, '+', 'BYLEX', 'LIMIT', 0, most + 1)
  for at = 1, math.min(#groups, most) do sources[#sources + 1] = 'group:' .. groups[at] end
  nextGroup = groups[most + 1]
end
local mayBeGhost = state == 'waiting' and redis.call('EXISTS', head .. 'ghosts') == 1
local function placeInLane(key)
  if anchor == '' then return 0 end
  if at > MAX_BEHIND then return at + 1 end
  local place = redis.call('LPOS', key, anchor, 'MAXLEN', at + 1000)
  return place and place + 1 or 0
end
local function placeInSet(key)
  if anchor == '' then return 0 end
  local score = redis.call('ZSCORE', key, anchor)
  if score and tonumber(score) == at then return redis.call('ZRANK', key, anchor) + 1 end
  return redis.call('ZCOUNT', key, '-inf', '(' .. string.format('%.17g', at))
end
local found, times, lanes = {}, {}, {}
local function answer(name, last, lastAt)
  local ids, scores, records, rows = {}, {}, {}, {}
  if state == 'completed' then
    local fields = {}
    for at, id in ipairs(found) do fields[at * 2 - 1], fields[at * 2] = 'r' .. id, 'o' .. id end
    local kept = #found > 0 and redis.call('HMGET', head .. 'kept', unpack(fields)) or {}
    for at, id in ipairs(found) do
      local record, outcome = kept[at * 2 - 1], kept[at * 2]
      if record then
        ids[#ids + 1] = id
        for _, field in ipairs({state, string.format('%.0f', tonumber(times[at])), record, '', '0', '', outcome or '', ''}) do
          rows[#rows + 1] = field
        end
      end
    end
    return {'ok', name, last, lastAt, ids, rows}
  end
  local seen, stored = {}, #found > 0 and redis.call('HMGET', jobs, unpack(found)) or {}
  for at, id in ipairs(found) do
    local record = stored[at]
    local isHere = record and not seen[id] and (not lanes[at] or string.sub(record, 14, 14) == lanes[at])
    if isHere and state == 'blocked' then isHere = redis.call('HEXISTS', head .. 'blocked', id) == 1 end
    if isHere and mayBeGhost and redis.call('HEXISTS', head .. 'ghosts', id) == 1 then
      isHere = stateOf(jobs, id, record) == 'waiting'
    end
    if isHere then
      seen[id], ids[#ids + 1], scores[#scores + 1], records[#records + 1] = true, id, times[at], record
    end
  end
  return {'ok', name, last, lastAt, ids, rowsOf(meta, state, ids, scores, records)}
end
local function add(id, score, lane)
  local at = #found + 1
  found[at], times[at], lanes[at] = id, score, lane or false
end
local hasBegun, looked = source == '', 0
for _, name in ipairs(sources) do
  local isBehind = state == 'active' or state == 'unhandled' or string.sub(source, 1, 6) == 'group:' and string.sub(name, 1, 6) == 'group:'
  if not hasBegun and (name == source or isBehind and name > source) then
    hasBegun = true
    if name ~= source then anchor = '' end
  end
  if hasBegun then
    local isList = name == 'high' or name == 'normal' or name == 'low'
    local key = head .. (state == 'active' and 'active:' or '') .. name
    local left = count - looked
    local last, lastAt
    if isList then
      local from = placeInLane(key)
      local lane = name == 'high' and '1' or name == 'normal' and '2' or '3'
      for place, id in ipairs(redis.call('LRANGE', key, from, from + left - 1)) do
        add(id, '0', lane)
        looked, last, lastAt = looked + 1, id, from + place - 1
      end
    else
      local from = placeInSet(key)
      local flat = redis.call('ZRANGE', key, from, from + left - 1, 'WITHSCORES')
      for place = 1, #flat, 2 do
        local member, score = flat[place], flat[place + 1]
        local isOver = ageMs > 0 and tonumber(score) <= now() - ageMs
        if not isOver then add(state == 'delayed' and string.sub(member, 2) or member, score) end
        looked, last, lastAt = looked + 1, member, tonumber(score)
      end
    end
    if looked >= count then return answer(name, last, string.format('%.17g', lastAt)) end
    anchor = ''
  end
end
if nextGroup then return answer('group:' .. nextGroup, '', '0') end
return answer('', '', '0')
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.state, args.source, args.anchor, encodeFloat("at", args.at), encodeInt("count", args.count), encodeInt("ageMs", args.ageMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", source: decodeText(fields[1]), anchor: decodeText(fields[2]), at: decodeText(fields[3]), ids: decodeList(fields[4], decodeText), rows: decodeList(fields[5], decodeBytes) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ReadmitKeys {
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
}

export interface ReadmitArgs {
  /** as many as it can take */
  readonly most: number;
  /** it knows all names, except that of deaths */
  readonly all: boolean;
  /** those that it knows */
  readonly names: readonly string[];
}

export type ReadmitResult = number;

/** Jobs that wait for a worker that knows their names wait in their lanes again, in front: the worker that calls this claims next. */
export const readmit: Script<ReadmitKeys, ReadmitArgs, ReadmitResult> = {
  class: "idempotent",
  name: "queue.readmit",
  sha1: "02ee0d340d66e511901dd1c5843b0a6ff8cbd908",
  lua: `-- queue.readmit
${NOW}${OPTIONS}${GROUPS}${PLACE}local jobs, urgent, normal, low = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local most, all = tonumber(ARGV[1]), ARGV[2] == '1'
local names = {}
for i = 3, #ARGV do names[i - 2] = ARGV[i] end
local head = string.sub(jobs, 1, -5)
local moved = 0
if all then
  for _, name in ipairs(redis.call('HKEYS', head .. 'unhandled')) do
    if name ~= 'holdfast:dead' then names[#names + 1] = name end
  end
end
for _, name in ipairs(names) do
  local key = head .. 'unhandled:' .. name
  local ids = moved < most and redis.call('ZPOPMIN', key, most - moved) or {}
  for at = #ids - 1, 1, -2 do
    local record = redis.call('HGET', jobs, ids[at])
    if record then
      place(jobs, {urgent, normal, low}, record, ids[at], true)
      moved = moved + 1
    end
  end
  if #ids > 0 then
    local left = redis.call('ZCARD', key)
    if left == 0 then
      redis.call('HDEL', head .. 'unhandled', name)
    else
      redis.call('HSET', head .. 'unhandled', name, left)
    end
  end
end
return moved
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.urgent, keys.normal, keys.low);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most), encodeBool(args.all));
    for (const each of args.names) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface RecoverKeys {
  readonly workers: Arg;
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly dead: Arg;
  readonly idle: Arg;
  readonly letters: Arg;
  readonly unique: Arg;
  readonly control: Arg;
}

export interface RecoverArgs {
  readonly worker: string;
  /** of the dead worker */
  readonly wakeKey: string;
  readonly maxCrashes: number;
  /** how many dead jobs are kept; -1: any number */
  readonly deadCount: number;
  /** for how long; 0: for ever */
  readonly deadAgeMs: number;
  readonly channel: string;
}

export type RecoverResult =
  | { readonly status: "ok"; readonly recovered: number; readonly buried: string[] }
  | { readonly status: "more"; readonly recovered: number; readonly buried: string[] }
  | { readonly status: "alive" };

/**
 * Take back the jobs of a worker whose time is over: each runs again, in front of its lane, or is dead after too many crashes.
 * Idempotent: what was taken back is in no worker's hands any more. `more`: the worker had more jobs than one call takes.
 */
export const recover: Script<RecoverKeys, RecoverArgs, RecoverResult> = {
  class: "idempotent",
  name: "queue.recover",
  sha1: "64b0d3deb8e9be140b464c8acd49ea651f691368",
  lua: `-- queue.recover
${NOW}${IDLE}${OPTIONS}${EVENTS}${DEATHS}${LETTERS}${GROUPS}${PLACE}${RUNS}${FORGET}${GIVE_UP}${CANCELLED}${RETENTION}local workers, active, jobs, meta, urgent, normal, low, dead, idle, letters, unique, control = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local worker, wakeKey, maxCrashes, deadCount, deadAgeMs, channel = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local until_ = redis.call('ZSCORE', workers, worker)
if until_ and tonumber(until_) >= now() then return 'alive' end
local MAX_JOBS = 50
local ids = redis.call('ZRANGE', active, 0, MAX_JOBS - 1)
local mayBeCancelled = cancelsOf(jobs, active)
if #ids > 0 then redis.call('ZREM', active, unpack(ids)) end
local recovered, buried = 0, {}
local KILLER = 'its workers died too often while they ran it'
endRuns(jobs, ids)
for at = #ids, 1, -1 do
  local id = ids[at]
  local record = redis.call('HGET', jobs, id)
  local isCancelled = record and mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
  if isCancelled and not undoes(jobs, meta, id, 'it was cancelled') and wasCancelled(jobs, meta, channel, id) then
    tellParents(letters, record, 'd', CANCELLED)
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'cancelled', id, record)
    if freeUnique(unique, optionsOf(record).u or '', id) then recovered = recovered + 1 end
  elseif record then
    local counted = redis.call('HINCRBY', meta, 'c' .. id, 1)
    local crashes = counted % 1000000
    local mayUndo = crashes > maxCrashes
      and (counted > crashes and crashes <= 2 * maxCrashes + 1 or undoes(jobs, meta, id, KILLER))
    if crashes > maxCrashes and not mayUndo then
      diedInGroup(string.sub(jobs, 1, -5), record, id)
      freeUnique(unique, optionsOf(record).u or '', id)
      tellParents(letters, record, 'd', '')
      reportDeath(jobs, meta, channel, id, record, KILLER)
      bury(jobs, meta, dead, id, deadCount, deadAgeMs)
      buried[#buried + 1] = id
      noteEvent(jobs, channel, 'dead', id, record)
    else
      place(jobs, {urgent, normal, low}, record, id, true)
      recovered = recovered + 1
      noteEvent(jobs, channel, 'recovered', id, record, worker)
    end
  end
end
if recovered > 0 then wakeWorkers(idle, channel, recovered) end
if #ids == MAX_JOBS then return {'more', recovered, buried} end
redis.call('ZREM', workers, worker)
redis.call('HDEL', control, 'x' .. worker)
redis.call('ZREM', idle, wakeKey)
return {'ok', recovered, buried}
`,
  encodeKeys(keys, out) {
    out.push(keys.workers, keys.active, keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.dead, keys.idle, keys.letters, keys.unique, keys.control);
  },
  encodeArgs(args, out) {
    out.push(args.worker, args.wakeKey, encodeInt("maxCrashes", args.maxCrashes), encodeInt("deadCount", args.deadCount), encodeInt("deadAgeMs", args.deadAgeMs), args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", recovered: decodeInt(fields[1]), buried: decodeList(fields[2], decodeText) };
      case "more":
        expectFields(fields, 2);
        return { status: "more", recovered: decodeInt(fields[1]), buried: decodeList(fields[2], decodeText) };
      case "alive":
        expectFields(fields, 0);
        return { status: "alive" };
      default:
        throw new UnexpectedReplyError("one of ok, more, alive", reply);
    }
  },
};

export interface RemoveKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly workers: Arg;
  readonly completed: Arg;
  readonly kept: Arg;
  readonly idle: Arg;
  readonly letters: Arg;
}

export interface RemoveArgs {
  readonly channel: string;
  readonly ids: readonly string[];
}

export type RemoveResult =
  | { readonly status: "ok"; readonly answers: string[]; readonly letters: number };

/**
 * Remove jobs that are not running, also those that are kept. The id of one that waits stays in its lane until its turn comes, and is passed over
 * then; out of a group it goes at once.
 */
export const remove: Script<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "queue.remove",
  sha1: "59294ff0e710d314eca25f489c2c6dc1c21039ad",
  lua: `-- queue.remove
${NOW}${IDLE}${FORGET}${WORKER_OF}${OPTIONS}${EVENTS}${GROUPS}${RUNS}${GHOSTS}${UNPLACE}${LETTERS}${RETENTION}local jobs, meta, dead, unique, workers, completed, kept, idle, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local channel = ARGV[1]
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local answers = {}
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  if not record then
    answers[at] = redis.call('ZREM', completed, id) == 1 and 'ok' or 'missing'
    dropKept(kept, {id})
    if answers[at] == 'ok' then noteEvent(jobs, channel, 'removed', id) end
  elseif workerOf(id, workers, jobs) then
    answers[at] = 'busy'
  else
    if redis.call('ZREM', dead, id) == 0 then
      unplace(jobs, id, record)
      tellParents(letters, record, 'd', '')
    end
    if tonumber(string.sub(record, 14, 14)) > 3 then
      local head, group = string.sub(jobs, 1, -5), groupOf(record)
      if leftHead(head, group, id) and readyGroup(head, group) then wakeWorkers(idle, channel, 1) end
      endRuns(jobs, {id})
    end
    if freeUnique(unique, optionsOf(record).u or '', id) then wakeWorkers(idle, channel, 1) end
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'removed', id, record)
    answers[at] = 'ok'
  end
end
return {'ok', answers, redis.call('HLEN', letters)}
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.dead, keys.unique, keys.workers, keys.completed, keys.kept, keys.idle, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.channel);
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", answers: decodeList(fields[1], decodeText), letters: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ReportKeys {
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
}

export interface ReportArgs {
  readonly channel: string;
  readonly maxLines: number;
  readonly maxBytes: number;
  /** of each report: job, fence, `p` or `l`, value */
  readonly fields: readonly Arg[];
}

export type ReportResult = string[];

/**
 * What runs say of themselves: their progress, or a line of their logs. Of a run that is over nothing changes; its job is returned.
 * Of logs the last ones are kept: up to `maxLines` of them, and up to `maxBytes`. Each line has its length, a colon, the server's time
 * (13 digits, milliseconds), itself.
 */
export const report: Script<ReportKeys, ReportArgs, ReportResult> = {
  class: "unsafe",
  name: "queue.report",
  sha1: "550be8c6e5bdc17cba0f7f71ed7b18ba3373b664",
  lua: `-- queue.report
${NOW}${EVENTS}local active, jobs, meta = KEYS[1], KEYS[2], KEYS[3]
local channel, maxLines, maxBytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local fields = {}
for i = 4, #ARGV do fields[i - 3] = ARGV[i] end
local function withLine(lines, line)
  local stamped = string.format('%013.0f', now()) .. line
  lines = lines .. #stamped .. ':' .. stamped
  local starts, at = {}, 1
  while at <= #lines do
    starts[#starts + 1] = at
    local colon = string.find(lines, ':', at, true)
    at = colon + 1 + tonumber(string.sub(lines, at, colon - 1))
  end
  local first = math.max(#starts - maxLines + 1, 1)
  while first < #starts and #lines - starts[first] + 1 > maxBytes do first = first + 1 end
  return string.sub(lines, starts[first])
end
local stale = {}
for at = 1, #fields, 4 do
  local id, fence, kind, value = unpack(fields, at, at + 3)
  local held = redis.call('ZSCORE', active, id)
  local record = held and tonumber(held) == tonumber(fence) and redis.call('HGET', jobs, id)
  if record then
    if kind == 'l' then value = withLine(redis.call('HGET', meta, 'l' .. id) or '', value) end
    redis.call('HSET', meta, kind .. id, value)
    if kind == 'p' then noteEvent(jobs, channel, 'progress', id, record, #value <= 1024 and value or '') end
  else
    stale[#stale + 1] = id
  end
end
return stale
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.jobs, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.channel, encodeInt("maxLines", args.maxLines), encodeInt("maxBytes", args.maxBytes));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface RetryKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly completed: Arg;
  readonly kept: Arg;
  readonly idle: Arg;
  readonly blocked: Arg;
}

export interface RetryArgs {
  readonly channel: string;
  readonly ids: readonly string[];
}

export type RetryResult = string[];

/**
 * Let jobs run again that are dead, or that ended well and are kept: at the end of their lanes, with all their attempts.
 * One whose unique key, or whose id, another job has by now stays what it is: `duplicate`.
 */
export const retry: Script<RetryKeys, RetryArgs, RetryResult> = {
  class: "idempotent",
  name: "queue.retry",
  sha1: "d0431054b07184d314371179f7ee2ad9812fcfc7",
  lua: `-- queue.retry
${NOW}${IDLE}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${PENDING}${WAITS_FOR}local jobs, meta, urgent, normal, low, dead, unique, completed, kept, idle, blocked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local channel = ARGV[1]
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local function takesKey(id, record)
  local key = optionsOf(record).u
  if not key then return true end
  local holder = redis.call('HGET', unique, key)
  if holder and holder ~= id and redis.call('HEXISTS', jobs, holder) == 1 then return false end
  redis.call('HSET', unique, key, id)
  return true
end
local answers, again = {}, 0
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  local isDead = record and redis.call('ZSCORE', dead, id)
  local isKept = not isDead and redis.call('ZSCORE', completed, id)
  local stored = isDead and record or isKept and redis.call('HGET', kept, 'r' .. id)
  if not stored then
    answers[at] = 'missing'
  elseif record and not isDead or not takesKey(id, stored) then
    answers[at] = 'duplicate'
  else
    local left = 0
    if isDead then
      redis.call('ZREM', dead, id)
      local diedWaiting = redis.call('HEXISTS', meta, 'r' .. id) == 1
      if redis.call('HEXISTS', meta, 'k' .. id) == 1 then left = waitsFor(jobs, meta, id) end
      if not diedWaiting then left = 0 end
      redis.call('HDEL', meta, 'f' .. id, 'c' .. id, 'p' .. id, 'r' .. id, 's' .. id)
      redis.call('DEL', string.sub(jobs, 1, -5) .. 'steps:' .. id)
    else
      redis.call('ZREM', completed, id)
      redis.call('HDEL', kept, 'r' .. id, 'o' .. id, 'l' .. id)
      redis.call('HSET', jobs, id, stored)
    end
    redis.call('DEL', string.sub(jobs, 1, -5) .. 'result:' .. id)
    if left > 0 then
      redis.call('HSET', blocked, id, left)
      redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
    else
      local isGrouped = tonumber(string.sub(stored, 14, 14)) > 3
      local isHead = isGrouped and leftHead(string.sub(jobs, 1, -5), groupOf(stored), id)
      if place(jobs, {urgent, normal, low}, stored, id, isHead) then again = again + 1 end
    end
    noteEvent(jobs, channel, 'retried', id, stored)
    answers[at] = 'ok'
  end
end
if again > 0 then wakeWorkers(idle, channel, again) end
return answers
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.dead, keys.unique, keys.completed, keys.kept, keys.idle, keys.blocked);
  },
  encodeArgs(args, out) {
    out.push(args.channel);
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface ScheduleDueKeys {
  readonly ticks: Arg;
  readonly states: Arg;
  readonly schedules: Arg;
}

export interface ScheduleDueArgs {
  readonly limit: number;
}

export type ScheduleDueResult =
  | { readonly status: "ok"; readonly nowMs: number; readonly nextMs: number; readonly ids: string[]; readonly states: (string | null)[]; readonly plans: (string | null)[] };

/**
 * Which schedules are due, those that are longest so first, and in how many milliseconds the next one is (-1: none is).
 * Of a schedule's record it returns the line that says when and how.
 */
export const scheduleDue: Script<ScheduleDueKeys, ScheduleDueArgs, ScheduleDueResult> = {
  class: "read",
  name: "queue.scheduleDue",
  sha1: "df6d4fea1af3a00ca7862ba9ac63016895c9ca6c",
  lua: `-- queue.scheduleDue
${NOW}local ticks, states, schedules = KEYS[1], KEYS[2], KEYS[3]
local limit = tonumber(ARGV[1])
local due = redis.call('ZRANGE', ticks, '-inf', now(), 'BYSCORE', 'LIMIT', 0, limit)
local first = redis.call('ZRANGE', ticks, '(' .. now(), '(+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
local found, plans = {}, {}
if #due > 0 then
  found = redis.call('HMGET', states, unpack(due))
  for at, record in ipairs(redis.call('HMGET', schedules, unpack(due))) do
    plans[at] = record and string.match(record, '^[^\\n]*\\n([^\\n]*)\\n') or false
  end
end
return {'ok', now(), first and string.format('%.0f', tonumber(first) - now()) or -1, due, found, plans}
`,
  encodeKeys(keys, out) {
    out.push(keys.ticks, keys.states, keys.schedules);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", nowMs: decodeInt(fields[1]), nextMs: decodeInt(fields[2]), ids: decodeList(fields[3], decodeText), states: decodeList(fields[4], (part) => decodeOptional(part, decodeText)), plans: decodeList(fields[5], (part) => decodeOptional(part, decodeText)) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface SchedulePutKeys {
  readonly ticks: Arg;
  readonly states: Arg;
  readonly schedules: Arg;
  readonly names: Arg;
}

export interface SchedulePutArgs {
  readonly channel: string;
  readonly wakeKey: string;
  readonly id: string;
  readonly seen: string;
  readonly state: string;
  /** milliseconds since 1970, or +inf */
  readonly due: string;
  /** empty: as it is */
  readonly record: Arg;
}

export type SchedulePutResult =
  | { readonly status: "ok" }
  | { readonly status: "conflict" };

/**
 * Store a schedule and when it is due next, if its state is still what the caller saw (empty: there was none). Tickers that
 * sleep until a later one is due are woken.
 */
export const schedulePut: Script<SchedulePutKeys, SchedulePutArgs, SchedulePutResult> = {
  class: "idempotent",
  name: "queue.schedulePut",
  sha1: "adc1159dfa5551ae1366452e379db6f272188d6a",
  lua: `-- queue.schedulePut
local ticks, states, schedules, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, wakeKey, id, seen, state, due, record = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local before = redis.call('HGET', states, id) or ''
if before == state then return 'ok' end
if before ~= seen then return 'conflict' end
local first = redis.call('ZRANGE', ticks, 0, 0, 'WITHSCORES')[2]
if record ~= '' then redis.call('HSET', schedules, id, record) end
redis.call('HSET', states, id, state)
redis.call('ZADD', names, 0, id)
redis.call('ZADD', ticks, due, id)
if due ~= '+inf' and (not first or tonumber(due) < tonumber(first)) then redis.call('PUBLISH', channel, wakeKey) end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.ticks, keys.states, keys.schedules, keys.names);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.wakeKey, args.id, args.seen, args.state, args.due, args.record);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "conflict":
        expectFields(fields, 0);
        return { status: "conflict" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict", reply);
    }
  },
};

export interface ScheduleReadKeys {
  readonly states: Arg;
  readonly schedules: Arg;
}

export interface ScheduleReadArgs {
  readonly ids: readonly string[];
}

export type ScheduleReadResult =
  | { readonly status: "ok"; readonly nowMs: number; readonly states: (string | null)[]; readonly records: (Buffer | null)[] };

/** Schedules and their states, in the order asked. */
export const scheduleRead: Script<ScheduleReadKeys, ScheduleReadArgs, ScheduleReadResult> = {
  class: "read",
  name: "queue.scheduleRead",
  sha1: "f927fc7dff227c73d829d000815b0989b584dda4",
  lua: `-- queue.scheduleRead
${NOW}local states, schedules = KEYS[1], KEYS[2]
local ids = ARGV
return {'ok', now(), redis.call('HMGET', states, unpack(ids)), redis.call('HMGET', schedules, unpack(ids))}
`,
  encodeKeys(keys, out) {
    out.push(keys.states, keys.schedules);
  },
  encodeArgs(args, out) {
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 3);
        return { status: "ok", nowMs: decodeInt(fields[1]), states: decodeList(fields[2], (part) => decodeOptional(part, decodeText)), records: decodeList(fields[3], (part) => decodeOptional(part, decodeBytes)) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ScheduleRemoveKeys {
  readonly ticks: Arg;
  readonly states: Arg;
  readonly schedules: Arg;
  readonly names: Arg;
}

export interface ScheduleRemoveArgs {
  readonly id: string;
  /** or empty */
  readonly seen: string;
}

export type ScheduleRemoveResult = boolean;

/** Remove a schedule; jobs that it has added stay. With `seen` only if its state is still that. */
export const scheduleRemove: Script<ScheduleRemoveKeys, ScheduleRemoveArgs, ScheduleRemoveResult> = {
  class: "idempotent",
  name: "queue.scheduleRemove",
  sha1: "67c25c90b77b7ae637419273fcc9f0c8606428bc",
  lua: `-- queue.scheduleRemove
local ticks, states, schedules, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, seen = ARGV[1], ARGV[2]
if seen ~= '' and redis.call('HGET', states, id) ~= seen then return false end
redis.call('ZREM', ticks, id)
redis.call('ZREM', names, id)
redis.call('HDEL', states, id)
return redis.call('HDEL', schedules, id)
`,
  encodeKeys(keys, out) {
    out.push(keys.ticks, keys.states, keys.schedules, keys.names);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.seen);
  },
  decode(reply) {
    return decodeBool(reply);
  },
};

export interface ScheduleRunKeys {
  readonly operation: Arg;
  readonly schedules: Arg;
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly idle: Arg;
}

export interface ScheduleRunArgs {
  readonly operationTtlMs: number;
  readonly channel: string;
  readonly id: string;
  readonly jobId: string;
}

export type ScheduleRunResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" };

/** Add a job of a schedule now, beside its plan. A repetition of the call adds nothing. */
export const scheduleRun: Script<ScheduleRunKeys, ScheduleRunArgs, ScheduleRunResult> = {
  class: "dedupable",
  name: "queue.scheduleRun",
  sha1: "5e4fab2f2464cba17e7cd845a45aa7964d3fbf1e",
  lua: `-- queue.scheduleRun
${NOW}${IDLE}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${SCHEDULE_JOB}local operation, schedules, jobs, urgent, normal, low, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local operationTtlMs, channel, id, jobId = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local before = redis.call('GET', operation)
if before then return before end
local record = redis.call('HGET', schedules, id)
local outcome = record and 'ok' or 'missing'
redis.call('SET', operation, outcome, 'PX', operationTtlMs)
if record and addScheduled(jobs, channel, {urgent, normal, low}, record, jobId, now()) then wakeWorkers(idle, channel, 1) end
return outcome
`,
  encodeKeys(keys, out) {
    out.push(keys.operation, keys.schedules, keys.jobs, keys.urgent, keys.normal, keys.low, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("operationTtlMs", args.operationTtlMs), args.channel, args.id, args.jobId);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface ScheduleTickKeys {
  readonly ticks: Arg;
  readonly states: Arg;
  readonly schedules: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly workers: Arg;
  readonly letters: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly idle: Arg;
}

export interface ScheduleTickArgs {
  readonly channel: string;
  /** what ids of jobs begin with */
  readonly jobHead: string;
  /** how soon a tick that is held back is looked at again */
  readonly retryMs: number;
  /** for how long the outcome of a cancelled job waits to be read */
  readonly keepMs: number;
  /** of a cancelled job */
  readonly outcome: Arg;
  /** of each schedule: id, state as it was seen, tick after these (0: none), when that is due, overlap (all, skip, bufferOne or cancelOther), most runs (0: any number), how late a run counts as late, ticks missed, how many ticks follow, each with when it was due */
  readonly fields: readonly string[];
}

export type ScheduleTickResult =
  | { readonly status: "ok"; readonly added: number; readonly late: number; readonly missed: number; readonly skipped: number; readonly stale: number };

/**
 * Add the jobs of schedules that are due and store when each is due next, in one step. A schedule whose state is no longer
 * what the caller saw was ticked, changed or removed meanwhile: nothing happens for it (`stale`), so that of many callers,
 * and of a late copy, one tick has one job.
 */
export const scheduleTick: Script<ScheduleTickKeys, ScheduleTickArgs, ScheduleTickResult> = {
  class: "idempotent",
  name: "queue.scheduleTick",
  sha1: "044802d208d5f9100c5eb80b13837010e0796e40",
  lua: `-- queue.scheduleTick
${NOW}${IDLE}${SCHEDULE_STATE}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${SCHEDULE_JOB}${FORGET}${WORKER_OF}${GHOSTS}${UNPLACE}${LETTERS}${GIVE_UP}${CANCELLED}${CANCEL_JOB}local ticks, states, schedules, jobs, meta, dead, unique, workers, letters, urgent, normal, low, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local channel, jobHead, retryMs, keepMs, outcome = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local fields = {}
for i = 6, #ARGV do fields[i - 5] = ARGV[i] end
local lanes = {urgent, normal, low}
local added, late, missed, skipped, stale = 0, 0, 0, 0, 0
local function jobOf(id, tick) return jobHead .. id .. '@' .. string.format('%.0f', tick) end
local function isOver(id, tick)
  if tick == 0 then return true end
  local job = jobOf(id, tick)
  return redis.call('HEXISTS', jobs, job) == 0 or redis.call('ZSCORE', dead, job) ~= false
end
local function cancelOther(id, tick)
  local job = jobOf(id, tick)
  local record = redis.call('HGET', jobs, job)
  local keys = {
    jobs = jobs, meta = meta, dead = dead, unique = unique, workers = workers, idle = idle, letters = letters, lanes = lanes,
  }
  if record then cancelJob(keys, channel, job, record, keepMs, outcome) end
end
local function tickOne(id, at)
  local record, seen = redis.call('HGET', schedules, id), redis.call('HGET', states, id)
  local state = seen == fields[at + 1] and parseState(seen)
  local isEarly = state and tonumber(fields[at + 2]) ~= state[NEXT] and now() < state[DUE]
  if not record or not state or state[PAUSED] == 1 or isEarly then
    stale = stale + 1
    return
  end
  local overlap, most, graceMs = fields[at + 4], tonumber(fields[at + 5]), tonumber(fields[at + 6])
  local function isDone() return most > 0 and state[RUNS] >= most end
  local function run(tick, dueMs)
    state[LAST] = tick
    if not addScheduled(jobs, channel, lanes, record, jobOf(id, tick), tick) then return end
    state[RUNS], state[LATE_MS] = state[RUNS] + 1, math.max(now() - dueMs, 0)
    added = added + 1
    if state[LATE_MS] > graceMs then state[LATE], late = state[LATE] + 1, late + 1 end
  end
  if state[HELD] > 0 and isOver(id, state[LAST]) then
    local held = state[HELD]
    state[HELD] = 0
    run(held, held)
  end
  local lastAt = at + 7 + 2 * tonumber(fields[at + 8])
  for tickAt = at + 9, lastAt, 2 do
    local tick = tonumber(fields[tickAt])
    if isDone() then break end
    if overlap == 'cancelOther' and tickAt == lastAt then
      cancelOther(id, state[LAST])
      run(tick, tonumber(fields[tickAt + 1]))
    elseif overlap == 'all' or overlap ~= 'cancelOther' and isOver(id, state[LAST]) then
      run(tick, tonumber(fields[tickAt + 1]))
    elseif overlap == 'bufferOne' and state[HELD] == 0 then
      state[HELD] = tick
    else
      state[SKIPPED], skipped = state[SKIPPED] + 1, skipped + 1
    end
  end
  local gone = tonumber(fields[at + 7])
  state[MISSED], missed = state[MISSED] + gone, missed + gone
  state[NEXT], state[DUE] = tonumber(fields[at + 2]), tonumber(fields[at + 3])
  if isDone() then state[NEXT], state[DUE], state[HELD] = 0, 0, 0 end
  redis.call('HSET', states, id, formatState(state))
  local score = state[NEXT] == 0 and math.huge or state[DUE]
  if state[HELD] > 0 then score = math.min(score, now() + retryMs) end
  redis.call('ZADD', ticks, score == math.huge and '+inf' or score, id)
end
local at = 1
while at <= #fields do
  tickOne(fields[at], at)
  at = at + 9 + 2 * tonumber(fields[at + 8])
end
if added > 0 then wakeWorkers(idle, channel, added) end
return {'ok', added, late, missed, skipped, stale}
`,
  encodeKeys(keys, out) {
    out.push(keys.ticks, keys.states, keys.schedules, keys.jobs, keys.meta, keys.dead, keys.unique, keys.workers, keys.letters, keys.urgent, keys.normal, keys.low, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.jobHead, encodeInt("retryMs", args.retryMs), encodeInt("keepMs", args.keepMs), args.outcome);
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 5);
        return { status: "ok", added: decodeInt(fields[1]), late: decodeInt(fields[2]), missed: decodeInt(fields[3]), skipped: decodeInt(fields[4]), stale: decodeInt(fields[5]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface SettleKeys {
  readonly active: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly dead: Arg;
  readonly unique: Arg;
  readonly idle: Arg;
  readonly blocked: Arg;
  readonly letters: Arg;
}

export interface SettleArgs {
  readonly channel: string;
  /** for how long an outcome waits to be read */
  readonly keepMs: number;
  /** what the keys of outcomes begin with, in front of the job's id */
  readonly results: string;
  /** how many jobs that ended well are kept; -1: any number, 0: none */
  readonly keepCount: number;
  /** for how long; 0: for ever */
  readonly keepAgeMs: number;
  /** the same of dead ones */
  readonly deadCount: number;
  readonly deadAgeMs: number;
  /** the worker goes with the last of what it holds */
  readonly leaves: boolean;
  /** of each job: id, fence, fate (done, again, dead, expired; later: again, and it has not failed; blocked: it waits for the jobs that it has added; unhandled: it waits for a worker that knows its name; parked: it waits for a signal, or so many milliseconds; group, queue: again, and its group or the queue is paused for the time), milliseconds until it runs again, what is remembered of its failures (or the name of the signal) or empty, unique key or empty, outcome or empty, whether those who wait for it are told (1 or 0), outcome for jobs that wait for it or empty */
  readonly fields: readonly Arg[];
}

export type SettleResult =
  | { readonly status: "ok"; readonly stale: string[]; readonly undone: string[]; readonly cancelled: string[] };

/**
 * End runs of which more is told than that they went well: their results, or that they failed and what becomes of the job.
 * Of a job that is another's by now (its fence differs) nothing changes; its id is in `stale`. One that would be dead, or cancelled, but has
 * something to undo runs once more for it, and is dead then; its id is in `undone`. One that was cancelled while it ran is not run again, whatever its fate here;
 * its id is in `cancelled`.
 */
export const settle: Script<SettleKeys, SettleArgs, SettleResult> = {
  class: "unsafe",
  name: "queue.settle",
  sha1: "ad4579133a7fea975e71c6eebe2f3dc4dacf7711",
  lua: `-- queue.settle
${NOW}${IDLE}${OPTIONS}${EVENTS}${DEATHS}${GROUPS}${PLACE}${RUNS}${FORGET}${LETTERS}${GIVE_UP}${DIE}${PENDING}${WAITS_FOR}${CANCELLED}${RETENTION}local active, jobs, meta, urgent, normal, low, delayed, dead, unique, idle, blocked, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local channel, keepMs, results, keepCount, keepAgeMs, deadCount, deadAgeMs, leaves = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local fields = {}
for i = 9, #ARGV do fields[i - 8] = ARGV[i] end
local function endForGood(id, uniqueKey, outcome, isTold)
  if freeUnique(unique, uniqueKey, id) then wakeWorkers(idle, channel, 1) end
  if outcome == '' then return end
  if isTold == '1' then redis.call('SET', results .. id, outcome, 'PX', keepMs) end
  redis.call('PUBLISH', channel, results .. id)
end
local function waitForOthers(id, record)
  local left, early, name, outcome = waitsFor(jobs, meta, id)
  if early == 'f' then
    local keys = {jobs = jobs, meta = meta, dead = dead, unique = unique, letters = letters}
    if not dieWith(keys, channel, results, id, record, name, outcome) then return end
  elseif left > 0 and not early then
    redis.call('HSET', blocked, id, left)
    redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
    return
  end
  if place(jobs, {urgent, normal, low}, record, id, true) then wakeWorkers(idle, channel, 1) end
end
local head = string.sub(jobs, 1, -5)
local function isStrict(record)
  return tonumber(string.sub(record, 14, 14)) > 3 and limitsOf(head, groupOf(record)).isStrict
end
local function pauseFor(id, record, fate, delayMs)
  place(jobs, {urgent, normal, low}, record, id, true)
  if fate == 'group' and tonumber(string.sub(record, 14, 14)) > 3 then
    return haltGroup(head, groupOf(record), now() + delayMs)
  end
  local control = head .. 'control'
  local untilMs = math.max(tonumber(redis.call('HGET', control, 'until') or 0), now() + delayMs)
  redis.call('HSET', control, 'until', string.format('%.0f', untilMs), 'rules', '1')
end
local function runAgain(id, record, delayMs, isParked)
  if delayMs <= 0 then
    if place(jobs, {urgent, normal, low}, record, id, true) then wakeWorkers(idle, channel, 1) end
    return
  end
  local dueMs = now() + delayMs
  if not isParked and isStrict(record) then
    place(jobs, {urgent, normal, low}, record, id, true)
    return haltGroup(head, groupOf(record), dueMs)
  end
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', delayed, dueMs, string.sub(record, 14, 14) .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
end
local function waitForSignal(id, record, name, delayMs)
  if redis.call('HEXISTS', string.sub(jobs, 1, -5) .. 'steps:' .. id, 'g' .. name) == 1 then delayMs = 0 end
  if delayMs > 0 then redis.call('HSET', meta, 'w' .. id, string.format('%.0f ', now() + delayMs) .. name) end
  runAgain(id, record, delayMs, true)
end
local function leaveToOthers(id, record)
  local head, name = string.sub(jobs, 1, -5), optionsOf(record).n or ''
  local own = head .. 'wake:' .. string.sub(active, #head + 8)
  local key = head .. 'unhandled:' .. name
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', key, last and last + 1 or 0, id)
  local count = redis.call('ZCARD', key)
  redis.call('HSET', head .. 'unhandled', name, count)
  if count > 1 then return end
  for _, wakeKey in ipairs(redis.call('ZRANGE', idle, 0, 99)) do
    if wakeKey ~= own then redis.call('PUBLISH', channel, wakeKey) end
  end
end
local stale, undone, ended, cancelled = {}, {}, {}, {}
local mayBeCancelled = cancelsOf(jobs, active)
for at = 1, #fields, 9 do
  local id, fence, fate, delayMs, info, uniqueKey, outcome, isTold, told = unpack(fields, at, at + 8)
  local held = redis.call('ZSCORE', active, id)
  local record = held and tonumber(held) == tonumber(fence) and redis.call('HGET', jobs, id)
  if not record then
    stale[#stale + 1] = id
  else
    redis.call('ZREM', active, id)
    ended[#ended + 1] = id
    if info ~= '' and fate ~= 'parked' then redis.call('HSET', meta, 'f' .. id, info) end
    local isCancelled = mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
    if (fate == 'dead' or isCancelled) and undoes(jobs, meta, id, isCancelled and 'it was cancelled' or '') then
      undone[#undone + 1] = id
      noteEvent(jobs, channel, 'failed', id, record, '0')
      runAgain(id, record, 0)
    elseif isCancelled and wasCancelled(jobs, meta, channel, id) then
      cancelled[#cancelled + 1] = id
      noteEvent(jobs, channel, 'cancelled', id, record)
      tellParents(letters, record, 'd', CANCELLED)
      forget(jobs, meta, {id})
      endForGood(id, uniqueKey, '', isTold)
    elseif fate == 'done' or fate == 'expired' then
      tellParents(letters, record, fate == 'done' and 'o' or 'd', told)
      if fate == 'done' and keepCount ~= 0 then keep(jobs, meta, id, record, outcome, keepCount, keepAgeMs) end
      forget(jobs, meta, {id})
      endForGood(id, uniqueKey, outcome, isTold)
      noteEvent(jobs, channel, fate == 'done' and 'completed' or 'expired', id, record)
    elseif fate == 'blocked' then
      noteEvent(jobs, channel, 'released', id, record)
      waitForOthers(id, record)
    elseif fate == 'unhandled' then
      noteEvent(jobs, channel, 'released', id, record)
      leaveToOthers(id, record)
    elseif fate == 'parked' then
      noteEvent(jobs, channel, 'released', id, record)
      waitForSignal(id, record, info, tonumber(delayMs))
    elseif fate == 'dead' then
      diedInGroup(head, record, id)
      local why = redis.call('HEXISTS', meta, 's' .. id) == 1 and redis.call('HGET', head .. 'steps:' .. id, '!')
      if why and why ~= '' then redis.call('HSET', meta, 'r' .. id, why) end
      tellParents(letters, record, 'd', told)
      reportDeath(jobs, meta, channel, id, record)
      bury(jobs, meta, dead, id, deadCount, deadAgeMs)
      endForGood(id, uniqueKey, outcome, isTold)
      noteEvent(jobs, channel, 'dead', id, record)
    elseif fate == 'again' or fate == 'later' then
      local hasFailed = fate == 'again' and info ~= ''
      noteEvent(jobs, channel, hasFailed and 'failed' or 'released', id, record, hasFailed and delayMs or '')
      runAgain(id, record, tonumber(delayMs))
    else
      noteEvent(jobs, channel, 'released', id, record)
      pauseFor(id, record, fate, tonumber(delayMs))
    end
  end
end
wakeWorkers(idle, channel, endRuns(jobs, ended))
if leaves and redis.call('EXISTS', active) == 0 then
  local worker = string.sub(active, #head + 8)
  redis.call('ZREM', head .. 'workers', worker)
  redis.call('HDEL', head .. 'control', 'x' .. worker)
end
return {'ok', stale, undone, cancelled}
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.jobs, keys.meta, keys.urgent, keys.normal, keys.low, keys.delayed, keys.dead, keys.unique, keys.idle, keys.blocked, keys.letters);
  },
  encodeArgs(args, out) {
    out.push(args.channel, encodeInt("keepMs", args.keepMs), args.results, encodeInt("keepCount", args.keepCount), encodeInt("keepAgeMs", args.keepAgeMs), encodeInt("deadCount", args.deadCount), encodeInt("deadAgeMs", args.deadAgeMs), encodeBool(args.leaves));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 3);
        return { status: "ok", stale: decodeList(fields[1], decodeText), undone: decodeList(fields[2], decodeText), cancelled: decodeList(fields[3], decodeText) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface SignalKeys {
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly steps: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly dead: Arg;
  readonly idle: Arg;
}

export interface SignalArgs {
  readonly channel: string;
  readonly id: string;
  readonly name: string;
  readonly value: Arg;
}

export type SignalResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" };

/** Keep a signal for a job, and let the job run if it waits for it. */
export const signal: Script<SignalKeys, SignalArgs, SignalResult> = {
  class: "idempotent",
  name: "queue.signal",
  sha1: "882f7c49e08293363cacf35f412b4e66128238e7",
  lua: `-- queue.signal
${NOW}${IDLE}${OPTIONS}${GROUPS}${PLACE}local jobs, meta, steps, urgent, normal, low, delayed, dead, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local channel, id, name, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = redis.call('HGET', jobs, id)
if not record or redis.call('ZSCORE', dead, id) then return 'missing' end
redis.call('HSET', meta, 's' .. id, 1)
redis.call('HSET', steps, 'g' .. name, value)
local dueMs, waitsFor = string.match(redis.call('HGET', meta, 'w' .. id) or '', '^(%d+) (.*)$')
local member = string.sub(record, 14, 14) .. id
if waitsFor == name and tonumber(dueMs) == tonumber(redis.call('ZSCORE', delayed, member) or 0) then
  redis.call('HDEL', meta, 'w' .. id)
  redis.call('ZREM', delayed, member)
  if place(jobs, {urgent, normal, low}, record, id) then wakeWorkers(idle, channel, 1) end
end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.meta, keys.steps, keys.urgent, keys.normal, keys.low, keys.delayed, keys.dead, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.id, args.name, args.value);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface StartedKeys {
  readonly unique: Arg;
  readonly idle: Arg;
}

export interface StartedArgs {
  readonly channel: string;
  /** of each job: its key, its id */
  readonly taken: readonly string[];
}

export type StartedResult =
  | { readonly status: "ok" };

/** Free unique keys that are taken only until their jobs start. */
export const started: Script<StartedKeys, StartedArgs, StartedResult> = {
  class: "idempotent",
  name: "queue.started",
  sha1: "baf46452879a68a2c239dcc335345126f1c260d0",
  lua: `-- queue.started
${NOW}${IDLE}${FORGET}local unique, idle = KEYS[1], KEYS[2]
local channel = ARGV[1]
local taken = {}
for i = 2, #ARGV do taken[i - 1] = ARGV[i] end
for at = 1, #taken, 2 do
  if freeUnique(unique, taken[at], taken[at + 1]) then wakeWorkers(idle, channel, 1) end
end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.unique, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.channel);
    for (const each of args.taken) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface StepKeys {
  readonly active: Arg;
  readonly meta: Arg;
  readonly steps: Arg;
}

export interface StepArgs {
  readonly id: string;
  readonly fence: number;
  readonly field: string;
  readonly value: Arg;
  /** 0 or more: instead of the value the time so long after now, unless there is one */
  readonly afterMs: number;
}

export type StepResult =
  | { readonly status: "ok" }
  | { readonly status: "stale" };

/** Remember something of a job that runs: only for the claim that is still its own. */
export const step: Script<StepKeys, StepArgs, StepResult> = {
  class: "idempotent",
  name: "queue.step",
  sha1: "0a87d9953530adfafbb57f82ec06be415b9adc75",
  lua: `-- queue.step
${NOW}local active, meta, steps = KEYS[1], KEYS[2], KEYS[3]
local id, fence, field, value, afterMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
redis.call('HDEL', meta, 'w' .. id)
redis.call('HSET', meta, 's' .. id, 1)
if afterMs >= 0 then
  redis.call('HSETNX', steps, field, string.format('%.0f', now() + afterMs))
else
  redis.call('HSET', steps, field, value)
end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.meta, keys.steps);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("fence", args.fence), args.field, args.value, encodeInt("afterMs", args.afterMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface TallyKeys {
  readonly totals: Arg;
  /** the worker's */
  readonly seen: Arg;
}

export interface TallyArgs {
  /** what the keys of minutes begin with */
  readonly minutes: string;
  /** for how long a minute is kept */
  readonly keepMs: number;
  readonly seenMs: number;
  /** who the worker is */
  readonly about: string;
  /** the first is 1 */
  readonly flush: number;
  /** field, and by how much it grows; a field `x:label` is one of a bounded number */
  readonly counts: readonly string[];
}

export type TallyResult =
  | { readonly status: "ok" };

/** Add what a worker has counted to the totals and to this minute's counts, once however often it is sent; and say who the worker is. */
export const tally: Script<TallyKeys, TallyArgs, TallyResult> = {
  class: "idempotent",
  name: "queue.tally",
  sha1: "de067995c617aaa8713d971a97de6aa5acca158e",
  lua: `-- queue.tally
${NOW}local totals, seen = KEYS[1], KEYS[2]
local minutes, keepMs, seenMs, about, flush = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local counts = {}
for i = 6, #ARGV do counts[i - 5] = ARGV[i] end
local MAX_LABELS = 60
local function grow(key, field, by)
  if string.sub(field, 2, 2) == ':' and redis.call('HEXISTS', key, field) == 0 then
    if tonumber(redis.call('HGET', key, 'labels') or 0) < MAX_LABELS then
      redis.call('HINCRBY', key, 'labels', 1)
    else
      field = string.sub(field, 1, 2)
    end
  end
  redis.call('HINCRBY', key, field, by)
end
local minute = minutes .. string.format('%.0f', math.floor(now() / 60000))
redis.call('EXISTS', minute)
local last = tonumber(redis.call('HGET', seen, 'flush') or 0)
redis.call('HSETNX', seen, 'since', now())
redis.call('HSET', seen, 'flush', flush, 'about', about)
redis.call('PEXPIRE', seen, seenMs)
if last >= flush or #counts == 0 then return 'ok' end
for at = 1, #counts, 2 do
  grow(totals, counts[at], counts[at + 1])
  grow(minute, counts[at], counts[at + 1])
end
redis.call('PEXPIRE', minute, keepMs)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.totals, keys.seen);
  },
  encodeArgs(args, out) {
    out.push(args.minutes, encodeInt("keepMs", args.keepMs), encodeInt("seenMs", args.seenMs), args.about, encodeInt("flush", args.flush));
    for (const each of args.counts) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface UpdateKeys {
  readonly jobs: Arg;
  readonly urgent: Arg;
  readonly normal: Arg;
  readonly low: Arg;
  readonly delayed: Arg;
  readonly dead: Arg;
  readonly workers: Arg;
  readonly idle: Arg;
}

export interface UpdateArgs {
  readonly channel: string;
  readonly id: string;
  /** 1 to 3 */
  readonly lane: string;
  /** `now`, +milliseconds from now, or milliseconds since 1970 */
  readonly due: string;
  readonly hasPayload: boolean;
  readonly payload: Arg;
  readonly regroup: boolean;
  /** where it is to be; empty: in none */
  readonly group: string;
}

export type UpdateResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" }
  | { readonly status: "active" }
  | { readonly status: "blocked" }
  | { readonly status: "full" };

/**
 * Change a job that has not started: what is empty stays as it is. `full`: the group that it is to wait in has as many as it may; `blocked`: it waits
 * for other jobs, and a time, or a group, is not to be had. Nothing is changed then.
 * `due` moves it: `now` to the end of its lane if it is delayed, else when it is due.
 */
export const update: Script<UpdateKeys, UpdateArgs, UpdateResult> = {
  class: "idempotent",
  name: "queue.update",
  sha1: "b0ada19eb3b39b9899236812dbe116954ed12034",
  lua: `-- queue.update
${NOW}${IDLE}${WORKER_OF}${OPTIONS}${EVENTS}${GROUPS}${PLACE}${GHOSTS}${UNPLACE}local jobs, urgent, normal, low, delayed, dead, workers, idle = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local channel, id, lane, due, hasPayload, payload, regroup, group = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1', ARGV[6], ARGV[7] == '1', ARGV[8]
local head, record = string.sub(jobs, 1, -5), redis.call('HGET', jobs, id)
if not record or redis.call('ZSCORE', dead, id) then return 'missing' end
if workerOf(id, workers, jobs) then return 'active' end
local options, before = optionsOf(record), string.sub(record, 14, 14)
local isRerunning = isRerun(head, id, options)
local isBlocked = redis.call('HEXISTS', head .. 'blocked', id) == 1
local isMoved = regroup and (options.g or '') ~= group
if (isBlocked or isRerunning) and due ~= '' or isRerunning and isMoved then return 'blocked' end
local inGroup = tonumber(before) > 3
if isMoved then inGroup = group ~= '' end
local plain = lane == '' and (before - 1) % 3 + 1 or tonumber(lane)
local after = string.format('%.0f', plain + (inGroup and 3 or 0))
local text = string.sub(record, 15, string.find(record, '\\n', 15, true))
if isMoved then
  options.g = group ~= '' and group or nil
  text = (next(options) and cjson.encode(options) or '') .. '\\n'
end
local rest = hasPayload and payload or string.sub(record, string.find(record, '\\n', 15, true) + 1)
local changed = string.sub(record, 1, 13) .. after .. text .. rest
local dueNow = redis.call('ZSCORE', delayed, before .. id)
local isElsewhere = after ~= before or isMoved
local toLane = not isBlocked and (due == 'now' and dueNow or due == '' and not dueNow and isElsewhere and not isRerunning)
local dueMs = due ~= 'now' and due ~= '' and (string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due))
  or due == '' and dueNow and isElsewhere and tonumber(dueNow)
if toLane and isMoved and inGroup then
  local most = limitsOf(head, group).maxWaiting
  if most > 0 and redis.call('ZCARD', head .. 'group:' .. group) >= most then return 'full' end
end
if toLane or dueMs then unplace(jobs, id, record) end
if changed ~= record then redis.call('HSET', jobs, id, changed) end
if toLane then
  if place(jobs, {urgent, normal, low}, changed, id) then wakeWorkers(idle, channel, 1) end
elseif dueMs then
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', delayed, dueMs, after .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
end
noteEvent(jobs, channel, 'updated', id, changed)
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.urgent, keys.normal, keys.low, keys.delayed, keys.dead, keys.workers, keys.idle);
  },
  encodeArgs(args, out) {
    out.push(args.channel, args.id, args.lane, args.due, encodeBool(args.hasPayload), args.payload, encodeBool(args.regroup), args.group);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "active":
        expectFields(fields, 0);
        return { status: "active" };
      case "blocked":
        expectFields(fields, 0);
        return { status: "blocked" };
      case "full":
        expectFields(fields, 0);
        return { status: "full" };
      default:
        throw new UnexpectedReplyError("one of ok, missing, active, blocked, full", reply);
    }
  },
};

export interface WorkersKeys {
  readonly workers: Arg;
}

export interface WorkersArgs {
  /** workers */
  readonly most: number;
  /** of each of them */
  readonly mostJobs: number;
}

export type WorkersResult = { readonly worker: string; readonly leaseMs: number; readonly running: number; readonly jobs: string[] }[];

/** The workers whose leases are good, and what each of them runs, the longest first. */
export const workers: Script<WorkersKeys, WorkersArgs, WorkersResult> = {
  class: "read",
  name: "queue.workers",
  sha1: "94857bde0fb8831de902fdf4bdddf4dee398c71b",
  lua: `-- queue.workers
${NOW}local workers = KEYS[1]
local most, mostJobs = tonumber(ARGV[1]), tonumber(ARGV[2])
local head, rows = string.sub(workers, 1, -8), {}
local alive = redis.call('ZRANGE', workers, '(' .. now(), '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
for at = 1, #alive, 2 do
  local active, row = head .. 'active:' .. alive[at], #rows
  rows[row + 1], rows[row + 2] = alive[at], string.format('%.0f', tonumber(alive[at + 1]) - now())
  rows[row + 3], rows[row + 4] = redis.call('ZCARD', active), redis.call('ZRANGE', active, 0, mostJobs - 1, 'WITHSCORES')
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.workers);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most), encodeInt("mostJobs", args.mostJobs));
  },
  decode(reply) {
    return decodeRows(reply, 4, (flat, at) => ({ worker: decodeText(flat[at]), leaseMs: decodeInt(flat[at + 1]), running: decodeInt(flat[at + 2]), jobs: decodeList(flat[at + 3], decodeText) }));
  },
};
