-- The state of a subscription of kind `shared` in one partition is one zset, so that it is lost as a whole or not at all.
-- Members of its own have negative scores, -1 - x: `e` epoch of the log, `f` frontier (last offset that was ever claimed), `g` generation,
-- `m` mark (latest time at which a claim was due that was claimed again, ms), `t` when its cursor was stored, ms.
-- All others are messages that are claimed or wait again: member `<offset>`, or `c<epoch>.<offset>` for a redriven dead letter; score due * 2048 + tag,
-- where `due` is when it may be claimed (ms) and tag = round * 256 + delivery. A token is a member and its tag: a claim raises the delivery,
-- a release the round, so no tag comes back while an older one can be about.
local OWN = 5
local TAGS, ROUND, ROUNDS = 2048, 256, 8
local CHUNK = 3000
local MAX_WALK = 20000

local function whole(x)
  return string.format('%.0f', x)
end

local function loadState(state)
  local s = redis.call('ZMSCORE', state, 'e', 'f', 'g', 'm', 't')
  if not s[1] then return nil end
  return { e = -1 - s[1], f = -1 - s[2], g = -1 - s[3], m = -1 - s[4], t = -1 - s[5] }
end

local function makeState(state, redriven, s)
  redis.call('UNLINK', state)
  local add = {}
  for name, x in pairs(s) do
    add[#add + 1] = whole(-1 - x)
    add[#add + 1] = name
  end
  redis.call('ZADD', state, unpack(add))
  -- What was redriven does not lie in the log.
  local members = redis.call('ZRANGE', redriven, 0, MAX_WALK)
  for _, member in ipairs(members) do redis.call('ZADD', state, whole(s.t * TAGS), 'c' .. member) end
  return s
end

-- The log's head, its epoch, its first offset, and when its head was appended; the epoch is 0 where nothing is there. `meta` may have been
-- evicted alone.
local function logHead(meta, log)
  local stored = redis.call('HMGET', meta, 'head', 'epoch', 'first', 'at')
  if stored[1] then return tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4]) end
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if not last then return 0, 0, 1, 0 end
  local head, epoch = string.match(last[1], '^(%d+)-(%d+)$')
  return tonumber(head), tonumber(epoch), 1, tonumber(last[2][2])
end

-- Whether a message of this log that was read is still the one at its offset: a failover may have lost the end of the log, and others stand there.
-- One that retention has removed counts as there.
local function isThere(log, head, headAt, offset, at)
  if offset >= head then return offset == head and at == headAt end
  local entry = redis.call('XRANGE', log, whole(offset), '+', 'COUNT', 1)[1]
  if not entry then return true end
  local last = string.match(entry[1], '^%d+')
  return tonumber(last) - tonumber(entry[2][4]) >= offset or tonumber(entry[2][2]) == at
end

-- The next claim of it has a tag that no earlier claim had.
local function nextTag(tag)
  if tag % ROUND < ROUND - 1 then return tag + 1 end
  return (tag + ROUND) % (ROUND * ROUNDS)
end
local function releasedTag(tag)
  return (tag + ROUND - math.min(tag % ROUND, 1)) % (ROUND * ROUNDS)
end

-- What retention knows of the subscription: up to where all is done, and until when it counts.
local function passTo(cursors, subscription, offset, t, expiresMs)
  local untilMs = expiresMs > 0 and ':' .. whole(t + expiresMs) or ''
  redis.call('HSET', cursors, subscription, whole(offset) .. untilMs)
end
