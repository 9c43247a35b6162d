--- Appends a pack of messages that have keys to a log, and keeps the newest message of each key.
-- As the script `append`, but each message has an outcome of its own in `known`: 0 it was appended; above: its id is known, from that offset;
-- -1 the key is not where the publisher expects it; -2 there is no room for one more key; -3 there is nothing to delete.
-- XADD is the first write: where the server takes none, nothing is written.
-- @class dedupable
-- @include now
-- @include log
-- @include log-retention
-- @include latest
-- @key log
-- @key meta
-- @key live       sharded channel
-- @key cursors    where each subscription is
-- @key latest
-- @key places
-- @key deleted
-- @keys ids...    of the messages that have one
-- @arg producer text
-- @arg number int        of the pack, rising
-- @arg keepMs int
-- @arg maxMessages int
-- @arg keepUnread bool
-- @arg refuses bool      what does not fit is refused, else the oldest go
-- @arg waits bool        what has no room for its key is not refused either
-- @arg dedupeMs int
-- @arg maxKeys int
-- @arg expiresMs int     how long the newest messages outlive the last one; 0: for ever
-- @arg liveBytes int     the most that go to the listeners with the news
-- @arg count int
-- @arg messages... bytes of each: its key; s or d (a tombstone), i (the next id is its), = and what is expected of the key; its frame
-- @result ok epoch:int first:int at:int known:list<int> times:list<int>
-- @result full room:int epoch:int known:list<int> times:list<int>
-- @result late
local state = latestState(log, meta, latest, places, deleted, producer)
local left, numberBefore, epochBefore, firstBefore, atBefore
if state.record then
  left, numberBefore, epochBefore, firstBefore, atBefore = string.match(state.record, '^([%d:,%-]-) ?(%d+) (%d+) (%d+) (%d+)$')
end
local isRepeat = numberBefore and tonumber(numberBefore) == number
if numberBefore and tonumber(numberBefore) > number then return 'late' end

-- `asks`: something depends on which keys there are.
local keys, idOf, known, times, nextId, asks = {}, {}, {}, {}, 0, state.keys + count > maxKeys
local knownBelow = isRepeat and tonumber(firstBefore) or state.head + 1
for at = 1, count do
  local what = messages[3 * at - 1]
  keys[at], known[at], times[at] = messages[3 * at - 2], 0, 0
  if what ~= 's' and what ~= 'si' then asks = true end
  if what ~= 's' and string.find(what, '^.i') then
    nextId = nextId + 1
    idOf[at] = ids[nextId]
    local epoch, offset, time = string.match(redis.call('GET', idOf[at]) or '', '^(%d+):(%d+):(%d+)$')
    if epoch and tonumber(epoch) == state.epoch and tonumber(offset) < knownBelow then
      known[at], times[at] = tonumber(offset), tonumber(time)
    end
  end
end
if isRepeat then
  for at, code in string.gmatch(left, '(%d+):(%-%d)') do known[tonumber(at)] = tonumber(code) end
  return {'ok', epochBefore, firstBefore, atBefore, known, times}
end

-- Which keys there are, as far as it is asked.
local isThere = {}
if asks then
  for at, score in ipairs(redis.call('ZMSCORE', places, unpack(keys))) do isThere[keys[at]] = score and true or nil end
end

-- What is appended: frames, by key what becomes of it, and of each frame its rank among what was not known.
local frames, newest, rankOf, refused, newIds, rank, keyCount = {}, {}, {}, {}, {}, 0, state.keys
local function isExpected(key, expected)
  local found = '0'
  if newest[key] then found = isThere[key] and 'here' or '0'
  elseif isThere[key] then found = string.match(redis.call('HGET', latest, key), '^(.-)\n') end
  return found == expected
end
for at = 1, count do
  if known[at] == 0 then
    local key, what = keys[at], messages[3 * at - 1]
    local isDeleted = asks and string.find(what, '^d') ~= nil
    local expected = asks and string.match(what, '=(.*)$')
    rank = rank + 1
    if expected and not isExpected(key, expected) then refused[at] = -1
    elseif isDeleted and not isThere[key] then refused[at] = -3
    elseif asks and not isThere[key] and keyCount >= maxKeys then
      if waits then return {'full', rank - 1, state.epoch, known, times} end
      refused[at] = -2
    else
      frames[#frames + 1] = messages[3 * at]
      rankOf[#frames] = rank
      if idOf[at] then newIds[#newIds + 1] = {idOf[at], #frames} end
      if isDeleted then keyCount = keyCount - 1 elseif not isThere[key] then keyCount = keyCount + 1 end
      isThere[key] = not isDeleted or nil
      newest[key] = #frames
    end
  end
end
local adding = #frames

-- A copy that arrives late is known also where nothing of it was appended.
left = ''
for at, code in pairs(refused) do left = left .. (left == '' and '' or ',') .. at .. ':' .. code end
local function withRefused()
  for at, code in pairs(refused) do known[at] = code end
  return known
end
local function remember(first, at)
  local record = string.format('%s %.0f %.0f %.0f %.0f', left, number, state.epoch, first, at)
  redis.call('HSET', meta, 'head', state.head, 'epoch', state.epoch, 'at', state.at, 'first', state.first, 'trimmed', state.trimmed,
    'p:' .. producer, record)
end
if adding == 0 then
  if left ~= '' then remember(state.head + 1, state.at) end
  if state.isNew then redis.call('PEXPIRE', meta, keepMs + LATEST_META_MS) end
  return {'ok', state.epoch, state.head + 1, state.at, withRefused(), times}
end

local over = state.head + adding - state.first + 1 - maxMessages
local slack = refuses and 0 or math.max(64, maxMessages / 16)
-- Of a clock that was ahead for a while it is due too.
local dueMs = math.min(60000, math.max(1000, math.ceil(keepMs / 100)))
local isDue = state.keys == 0 or math.abs(now() - state.trimmed) >= dueMs
local from, keptFrom, tidyLog = state.first
if isDue or over > slack then
  keptFrom, tidyLog = logRetention()
  from = keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
  over = state.head + adding - from + 1 - maxMessages
  isDue = true
end
if refuses and over > 0 then return {'full', rankOf[adding - over] or 0, state.epoch, known, times} end

local first, at = appendPack(log, meta, live, state, adding, table.concat(frames), producer, number, liveBytes)
for _, new in ipairs(newIds) do
  redis.call('SET', new[1], string.format('%.0f:%.0f:%.0f', state.epoch, first + new[2] - 1, at), 'PX', dedupeMs)
end

local isBare = state.keys == 0 or state.tombs == 0
local set, placed, gone, buried = {}, {}, {}, {}
local origin = string.format(' %.0f %.0f\n', state.epoch, at)
for key, place in pairs(newest) do
  local offset = string.format('%.0f', first + place - 1)
  if isThere[key] then
    set[#set + 1], set[#set + 2] = key, offset .. origin .. frames[place]
    placed[#placed + 1], placed[#placed + 2] = offset, key
  else
    gone[#gone + 1] = key
    buried[#buried + 1], buried[#buried + 2] = offset, key
  end
end
if #set > 0 then
  redis.call('HSET', latest, unpack(set))
  redis.call('ZADD', places, unpack(placed))
  if state.tombs > 0 then
    local back = {}
    for at = 1, #set, 2 do back[#back + 1] = set[at] end
    redis.call('ZREM', deleted, unpack(back))
  end
end
if #gone > 0 then
  redis.call('HDEL', latest, unpack(gone))
  redis.call('ZREM', places, unpack(gone))
  redis.call('ZADD', deleted, unpack(buried))
end
state.keys, state.tombs = redis.call('ZCARD', places), redis.call('ZCARD', deleted)
local excess = state.tombs - MAX_DELETED
if excess > 0 then
  state.purged = tonumber(redis.call('ZRANGE', deleted, excess - 1, excess - 1, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', deleted, 0, excess - 1)
  state.tombs = MAX_DELETED
end
if state.began == 0 then state.began = at end
rememberLatest(meta, state)
if left ~= '' then remember(first, at) end

if isDue then
  tidyLog(log, meta, state, from, keepMs, keepUnread)
  if expiresMs > 0 then redis.call('PEXPIRE', meta, math.max(expiresMs, keepMs) + LATEST_META_MS) else redis.call('PERSIST', meta) end
end
if isDue or isBare and expiresMs > 0 then
  for _, key in ipairs({latest, places, deleted}) do
    -- Messages that come before it is due again renew nothing: the last of them counts too.
    if expiresMs > 0 then redis.call('PEXPIRE', key, expiresMs + dueMs) else redis.call('PERSIST', key) end
  end
end
return {'ok', state.epoch, first, at, withRefused(), times}
