--- Appends a pack of messages to a log.
-- A repetition (the producer's `number` is known) changes nothing and is answered like the first time; a copy that comes after a later
-- one is `late`. A message whose id is known is left out. `full`: there is room for so many of those that are new; nothing was appended.
-- XADD is the first write: where the server takes none, nothing is written.
-- @class dedupable
-- @include now
-- @include log
-- @include log-retention
-- @key log
-- @key meta
-- @key live       sharded channel
-- @key cursors    where each subscription is
-- @keys ids...    of the messages that have one
-- @arg producer text
-- @arg number int        of the pack, rising
-- @arg keepMs int
-- @arg maxMessages int
-- @arg keepUnread bool
-- @arg refuses bool      what does not fit is refused, else the oldest go
-- @arg dedupeMs int
-- @arg liveBytes int     the most that go to the listeners with the news
-- @arg count int
-- @arg frames... bytes   all in one; with `ids`: the place of each id's message, then the frames one by one
-- @result ok epoch:int first:int at:int known:list<int> times:list<int>
-- @result full room:int epoch:int known:list<int> times:list<int>
-- @result late
local state = logState(log, meta, producer)
local numberBefore = state.record and tonumber(string.match(state.record, '^%d+'))
if numberBefore and numberBefore > number then return 'late' end
local isRepeat = numberBefore == number
local epochBefore, firstBefore, atBefore
if isRepeat then epochBefore, firstBefore, atBefore = string.match(state.record, ' (%d+) (%d+) (%d+)') end

-- For each id the offset that it was first appended at, and when; 0 where that is new.
local known, times, isKnown = {}, {}, {}
local knownBelow = isRepeat and tonumber(firstBefore) or state.head + 1
for at, id in ipairs(ids) do
  local epoch, offset, time = string.match(redis.call('GET', id) or '', '^(%d+):(%d+):(%d+)$')
  known[at], times[at] = 0, 0
  if epoch and tonumber(epoch) == state.epoch and tonumber(offset) < knownBelow then
    known[at], times[at] = tonumber(offset), tonumber(time)
    isKnown[tonumber(frames[at])] = true
  end
end
if isRepeat then return {'ok', epochBefore, firstBefore, atBefore, known, times} end

local blob, adding, newIds = frames[1], count, {}
if #ids > 0 then
  local kept, placeOf = {}, {}
  for place = 1, count do
    if not isKnown[place] then
      kept[#kept + 1] = frames[#ids + place]
      placeOf[place] = #kept
    end
  end
  blob, adding = table.concat(kept), #kept
  for at, id in ipairs(ids) do
    if known[at] == 0 then newIds[#newIds + 1] = {id, placeOf[tonumber(frames[at])]} end
  end
end
if adding == 0 then return {'ok', state.epoch, state.head + 1, state.at, known, times} end

local over = state.head + adding - state.first + 1 - maxMessages
local slack = refuses and 0 or math.max(64, maxMessages / 16)
-- Of a clock that was ahead for a while it is due too.
local isDue = math.abs(now() - state.trimmed) >= math.min(60000, math.max(1000, keepMs / 100))
local from, keptFrom, tidyLog = state.first
if isDue or over > slack then
  keptFrom, tidyLog = logRetention()
  from = keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
  over = state.head + adding - from + 1 - maxMessages
  isDue = true
end
if refuses and over > 0 then return {'full', math.max(0, adding - over), state.epoch, known, times} end

local first, at = appendPack(log, meta, live, state, adding, blob, producer, number, liveBytes)
for _, new in ipairs(newIds) do
  redis.call('SET', new[1], string.format('%.0f:%.0f:%.0f', state.epoch, first + new[2] - 1, at), 'PX', dedupeMs)
end
if isDue then tidyLog(log, meta, state, from, keepMs, keepUnread) end
return {'ok', state.epoch, first, at, known, times}
