--- Jobs of one state, as many as `count`: from behind the job `anchor` of `source`, or from the beginning of the source that
-- follows where that is empty. `at` is where the anchor was: its place in its lane, or its score. An answer without a source is the last.
-- @class read
-- @include now
-- @include worker-of
-- @include options
-- @include state-of
-- @key jobs
-- @key meta
-- @arg state text
-- @arg source text    what the name of its key ends with; empty: the first one
-- @arg anchor text
-- @arg at float
-- @arg count int
-- @arg ageMs int      what ended longer ago is not kept; 0: for ever
-- @result ok source:text anchor:text at:text ids:list<text> rows:list<bytes>
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
  -- There may be very many of them, and most of them with little: as many as there are jobs on a page, and at least so many.
  local MIN_GROUPS = 50
  local most = math.max(count, MIN_GROUPS)
  local from = string.sub(source, 1, 6) == 'group:' and '[' .. string.sub(source, 7) or '-'
  local groups = redis.call('ZRANGE', head .. 'known', from, '+', 'BYLEX', 'LIMIT', 0, most + 1)
  for at = 1, math.min(#groups, most) do sources[#sources + 1] = 'group:' .. groups[at] end
  nextGroup = groups[most + 1]
end
local mayBeGhost = state == 'waiting' and redis.call('EXISTS', head .. 'ghosts') == 1
-- Where to go on in a lane: its jobs move to the front as those before them are taken.
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
    -- What is in a lane may have been removed, added again, or moved.
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
