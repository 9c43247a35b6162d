-- What a log keeps; needs the include `log`. As one function, made into its parts only by the calls that need them: each function that a
-- script defines costs half a microsecond of every call.
local function logRetention()
  local MAX_PRODUCERS = 64
  local PRODUCER_MS = 600000
  local META_MS = 2592000000
  local MAX_TRIMMED = 10000

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

  -- Once in a while: what is too old or too much goes, and the keys' times to live begin again.
  local function tidyLog(log, meta, state, from, keepMs, keepUnread)
    if from > state.first then trimLog(log, from) end
    redis.call('HSET', meta, 'first', math.max(from, state.first), 'trimmed', now())
    if math.floor(now() / 60000) ~= math.floor(state.trimmed / 60000) then forgetProducers(meta) end
    redis.call('PEXPIRE', meta, keepMs + META_MS)
    if keepUnread then redis.call('PERSIST', log) else redis.call('PEXPIRE', log, keepMs + 120000) end
  end

  return keptFrom, tidyLog
end
