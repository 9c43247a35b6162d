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
local sources = {waiting = {'high', 'normal', 'low'}}
sources = sources[state] or {state}
if state == 'active' then
  sources = redis.call('ZRANGE', head .. 'workers', 0, -1)
  table.sort(sources)
end
local MAX_BEHIND = 10000
if state == 'waiting' then
  for _, group in ipairs(redis.call('ZRANGE', head .. 'known', 0, -1)) do sources[#sources + 1] = 'group:' .. group end
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
local ids, rows, seen = {}, {}, {}
local function add(id, shown, score)
  local record
  if state == 'completed' then
    local of = redis.call('HMGET', head .. 'kept', 'r' .. id, 'o' .. id)
    if not of[1] then return end
    record = {'completed', string.format('%.0f', tonumber(score)), of[1], '', '0', '', of[2] or '', ''}
  else
    local stored = redis.call('HGET', jobs, id)
    if not stored then return end
    -- What is in a lane may have been removed, added again, or moved.
    if seen[id] or mayBeGhost and redis.call('HEXISTS', head .. 'ghosts', id) == 1 and stateOf(jobs, id, stored) ~= 'waiting' then return end
    record = {rowOf(jobs, meta, id, state, score, stored)}
  end
  seen[id] = true
  ids[#ids + 1] = id
  for _, field in ipairs(record) do rows[#rows + 1] = field end
end
local hasBegun, looked = source == '', 0
for _, name in ipairs(sources) do
  local isBehind = state == 'active' or string.sub(source, 1, 6) == 'group:' and string.sub(name, 1, 6) == 'group:'
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
        local stored = redis.call('HGET', jobs, id)
        if stored and string.sub(stored, 14, 14) == lane then add(id, id, '0') end
        looked, last, lastAt = looked + 1, id, from + place - 1
      end
    else
      local from = placeInSet(key)
      local flat = redis.call('ZRANGE', key, from, from + left - 1, 'WITHSCORES')
      for place = 1, #flat, 2 do
        local member, score = flat[place], flat[place + 1]
        local isOver = ageMs > 0 and tonumber(score) <= now() - ageMs
        if not isOver then add(state == 'delayed' and string.sub(member, 2) or member, member, score) end
        looked, last, lastAt = looked + 1, member, tonumber(score)
      end
    end
    if looked >= count then return {'ok', name, last, string.format('%.17g', lastAt), ids, rows} end
    anchor = ''
  end
end
return {'ok', '', '', '0', ids, rows}
