-- The newest message of each key of a log: `latest`, a hash of keys and "<offset> <epoch> <at>\n<frame>"; `places`, a sorted set of the same
-- keys by those offsets; and `deleted`, keys by the offsets of their tombstones, as far as those are remembered. `meta` counts all three, so
-- that it is noticed when one of them was evicted. Needs the includes `now` and `log`.

-- More are forgotten, the oldest first: readers that are behind those begin again.
local MAX_DELETED = 10000
-- `meta` outlives the log by so much.
local LATEST_META_MS = 2592000000

-- Of a state of which a part is missing nothing is left: `began` rises, by which readers know.
local function forgetLatest(state, latest, places, deleted)
  redis.call('UNLINK', latest, places, deleted)
  state.keys, state.tombs, state.purged = 0, 0, state.head
  -- Above all times of messages, also where the clock was set back: a position is known by them to be of before.
  state.began = math.max(state.began + 1, now(), state.at + 1)
end

-- A log of which nothing is known any more, but by the newest messages of its keys, and by what was deleted behind them.
local function continueFrom(state, latest, places, buried)
  local newest = redis.call('ZREVRANGE', places, 0, 0)[1]
  local offset, epoch, at = string.match(redis.call('HGET', latest, newest) or '', '^(%d+) (%d+) (%d+)\n')
  if not offset or tonumber(offset) <= state.head then return end
  state.head, state.epoch, state.at = math.max(tonumber(offset), buried), tonumber(epoch), tonumber(at)
  state.first = state.head + 1
end

local function rememberLatest(meta, state)
  redis.call('HSET', meta, 'keys', state.keys, 'tombs', state.tombs, 'purged', state.purged, 'began', state.began)
end

-- What is known of the log and of its newest messages. `isNew`: nothing is.
local function latestState(log, meta, latest, places, deleted, producer)
  local state = logState(log, meta, producer)
  local told = redis.call('HMGET', meta, 'head', 'keys', 'tombs', 'purged', 'began')
  local records = redis.call('HLEN', latest)
  state.keys, state.tombs = redis.call('ZCARD', places), redis.call('ZCARD', deleted)
  state.purged, state.began = tonumber(told[4] or 0), tonumber(told[5] or 0)
  state.isNew = not told[1] and state.head == 0 and records + state.keys + state.tombs == 0
  if state.isNew then return state end

  local isWhole = state.keys == records and (not told[2] or tonumber(told[2]) == records)
  local hasTombs = told[3] and tonumber(told[3]) == state.tombs or not told[3] and told[1] and state.tombs == 0
  if isWhole and hasTombs then return state end
  if not isWhole then
    forgetLatest(state, latest, places, deleted)
  else
    local buried = tonumber(redis.call('ZRANGE', deleted, -1, -1, 'WITHSCORES')[2] or 0)
    -- Nobody knows what was deleted.
    redis.call('UNLINK', deleted)
    if not told[1] then
      if records > 0 then continueFrom(state, latest, places, buried) end
      state.began = math.max(now(), state.at)
    end
    state.tombs, state.purged = 0, state.head
  end
  redis.call('HSET', meta, 'head', state.head, 'epoch', state.epoch, 'at', state.at, 'first', state.first, 'trimmed', state.trimmed)
  rememberLatest(meta, state)
  if not told[1] then
    local leftMs = redis.call('PTTL', places)
    if leftMs ~= -1 then redis.call('PEXPIRE', meta, math.max(leftMs, 0) + LATEST_META_MS) end
  end
  return state
end
