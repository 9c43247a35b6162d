-- A log: a stream whose entries are packs of messages, and `meta`, which counts them. Offsets are 1, 2, 3 ... An entry's id is
-- the offset of its last message, and the log's epoch: a number made where nothing is known of the log. Needs the include `now`.

local MAX_PRODUCERS = 64
local PRODUCER_MS = 600000
local META_MS = 2592000000
local MAX_TRIMMED = 10000

local function offsetsOf(entry)
  local last, epoch = string.match(entry[1], '^(%d+)-(%d+)$')
  return tonumber(last) - tonumber(entry[2][4]) + 1, tonumber(last), tonumber(epoch)
end

-- What is known of the log; where `meta` was evicted, what the log itself says. `record` is the producer's.
local function logState(log, meta, producer)
  local known = redis.call('HMGET', meta, 'head', 'epoch', 'at', 'first', 'trimmed', 'p:' .. producer)
  if known[1] then
    return {
      head = tonumber(known[1]), epoch = tonumber(known[2]), at = tonumber(known[3]), first = tonumber(known[4]),
      trimmed = tonumber(known[5]), record = known[6],
    }
  end
  local state = {head = 0, epoch = now(), at = 0, first = 1, trimmed = 0}
  if redis.call('EXISTS', log) == 0 then return state end
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then
    local _
    _, state.head, state.epoch = offsetsOf(last)
    state.at = tonumber(last[2][2])
    state.first = offsetsOf(redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1])
    return state
  end
  local info = redis.call('XINFO', 'STREAM', log)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then
      local head, epoch = string.match(info[at + 1], '^(%d+)-(%d+)$')
      state.head, state.epoch, state.first = tonumber(head), tonumber(epoch), tonumber(head) + 1
    end
  end
  return state
end

-- The first offset whose message is of `cutoff` (milliseconds) or later; offsets are contiguous and times do not go back.
local function firstSince(log, state, oldest, cutoff)
  if tonumber(oldest[2][2]) >= cutoff then return state.first end
  local _, last = offsetsOf(oldest)
  local low, high = last + 1, state.head + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', log, middle, '+', 'COUNT', 1)[1]
    if not entry then return low end
    local from, to = offsetsOf(entry)
    if tonumber(entry[2][2]) < cutoff then low = to + 1 else high = math.min(middle, math.max(from, low)) end
  end
  return low
end

-- The offset that all subscriptions have passed; nil without one. A subscription that is not used any more counts no longer.
local function passedByAll(cursors)
  local lowest
  local fields = redis.call('HGETALL', cursors)
  for at = 2, #fields, 2 do
    local offset, untilMs = string.match(fields[at], '^(%d+):?(%d*)$')
    if offset and (untilMs == '' or tonumber(untilMs) > now()) then
      lowest = math.min(lowest or tonumber(offset), tonumber(offset))
    end
  end
  return lowest
end

-- From where the log is to be kept once `adding` messages more are in it.
local function keptFrom(log, cursors, state, adding, keepMs, maxMessages, keepUnread, refuses)
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  -- The log has ended, or was evicted: what `meta` counts is not there and takes no room.
  if not oldest then return state.head + 1 end
  state.first = math.max(state.first, (offsetsOf(oldest)))
  local from = firstSince(log, state, oldest, now() - keepMs)
  local fitting = state.head + adding - maxMessages + 1
  if keepUnread or refuses then
    local passed = passedByAll(cursors)
    if keepUnread and passed then from = math.min(from, passed + 1) end
    if refuses then fitting = math.min(fitting, passed and passed + 1 or 1) end
  end
  return math.max(from, fitting, state.first)
end

-- In chunks, so that no call removes very much; what is left goes with the next one.
local function trimLog(log, from)
  local id = string.format('%.0f-0', from)
  if redis.call('XTRIM', log, 'MINID', '~', id, 'LIMIT', MAX_TRIMMED) < MAX_TRIMMED then redis.call('XTRIM', log, 'MINID', id) end
end

-- What producers wrote down that are long gone.
local function forgetProducers(meta)
  if redis.call('HLEN', meta) <= MAX_PRODUCERS then return end
  local fields = redis.call('HGETALL', meta)
  for at = 1, #fields, 2 do
    local usedAt = string.match(fields[at], '^p:') and tonumber(string.match(fields[at + 1], '%d+$'))
    if usedAt and usedAt < now() - PRODUCER_MS then redis.call('HDEL', meta, fields[at]) end
  end
end

-- Appends one pack. `record` is what the producer's own repetition is recognised by, without the time.
local function appendPack(log, meta, live, state, count, blob, producer, number, liveBytes)
  local first, head = state.head + 1, state.head + count
  local at = math.max(now(), state.at)
  redis.call('XADD', log, string.format('%.0f-%.0f', head, state.epoch), 't', at, 'n', count, 'm', blob)
  local record = string.format('%.0f %.0f %.0f %.0f', number, state.epoch, first, at)
  redis.call('HSET', meta, 'head', head, 'epoch', state.epoch, 'at', at, 'first', state.first, 'trimmed', state.trimmed,
    'p:' .. producer, record)
  local news = string.format('%.0f %.0f %.0f %.0f\n', state.epoch, first, count, at)
  -- A listener that may not be told asks by itself.
  redis.pcall('SPUBLISH', live, #blob <= liveBytes and news .. blob or news)
  state.head, state.at = head, at
  return first, at
end

-- Once in a while: what is too old or too much goes, and the keys' times to live begin again.
local function tidyLog(log, meta, state, from, keepMs, keepUnread)
  if from > state.first then trimLog(log, from) end
  redis.call('HSET', meta, 'first', math.max(from, state.first), 'trimmed', now())
  if math.floor(now() / 60000) ~= math.floor(state.trimmed / 60000) then forgetProducers(meta) end
  redis.call('PEXPIRE', meta, keepMs + META_MS)
  if keepUnread then redis.call('PERSIST', log) else redis.call('PEXPIRE', log, keepMs + 120000) end
end
