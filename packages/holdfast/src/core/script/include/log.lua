-- A log: a stream whose entries are packs of messages, and `meta`, which counts them. Offsets are 1, 2, 3 ... An entry's id is
-- the offset of its last message, and the log's epoch: a number made where nothing is known of the log. Needs the include `now`.

local function offsetsOf(entry)
  local last, epoch = string.match(entry[1], '^(%d+)-(%d+)$')
  return tonumber(last) - tonumber(entry[2][4]) + 1, tonumber(last), tonumber(epoch)
end

-- What is known of the log; where `meta` was evicted, what the log itself says. `record` is the producer's; false where it has none, nil where nothing was in `meta`.
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

-- Appends one pack. `record` is what the producer's own repetition is recognised by, without the time.
-- Numbers go as texts: one given to redis.call is written with 17 digits, which takes three times as long.
local function appendPack(log, meta, live, state, count, blob, producer, number, liveBytes)
  local format = string.format
  local first, head = state.head + 1, state.head + count
  local at = math.max(now(), state.at)
  local epochText, firstText, atText = format('%d', state.epoch), format('%d', first), format('%d', at)
  local headText, countText = format('%d', head), format('%d', count)
  redis.call('XADD', log, headText .. '-' .. epochText, 't', atText, 'n', countText, 'm', blob)
  local record = format('%d', number) .. ' ' .. epochText .. ' ' .. firstText .. ' ' .. atText
  if state.record == nil then
    redis.call('HSET', meta, 'head', headText, 'epoch', epochText, 'at', atText, 'first', format('%d', state.first),
      'trimmed', format('%d', state.trimmed), 'p:' .. producer, record)
  else
    redis.call('HSET', meta, 'head', headText, 'at', atText, 'p:' .. producer, record)
  end
  local news = epochText .. ' ' .. firstText .. ' ' .. countText .. ' ' .. atText .. '\n'
  -- A listener that may not be told asks by itself.
  redis.pcall('SPUBLISH', live, #blob <= liveBytes and news .. blob or news)
  state.head, state.at = head, at
  return first, at
end
