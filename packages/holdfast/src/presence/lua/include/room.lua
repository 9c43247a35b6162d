-- A room, all of it in one slot. A node is a process (one handle of it) with members in the room: they live by its heartbeat alone.
--   <room>            hash: epoch, version, and how many there are of each: devices, users, nodes, left
--   <room>:members    sorted set, all scores 0: `<user>\0<device>\0<node>`, without a node where it has left and its grace is not over
--   <room>:nodes      sorted set: when each node's members are out (ms)
--   <room>:node:<id>  hash: `<user>\0<device>` = `<joined ms>:<meta>`, and `seq` and `outcomes` of its last change
--   <room>:leaving    sorted set: when who has left is out (ms);   <room>:left  hash: their entries, as a node's
-- The counts in `<room>` are what each key must have: where one was evicted they differ, and the room begins again under another
-- epoch. Its nodes are called, and join again. Needs the include `now`.
local MAX_SWEPT = 500
local MAX_DEAD_NODES = 20
local CALL_MS = 1000
-- Fields of a node that are no members.
local NODE_FIELDS = 2

local function heldBy(r, node)
  return node == '' and r.left or r.key .. ':node:' .. node
end

local function begin(r)
  r.epoch = string.format('%.0f', math.max(nowMicros(), (tonumber(r.epoch) or 0) + 1))
  r.version, r.devices, r.users, r.nodeCount, r.leftCount = 0, 0, 0, 0, 0
end

local function keep(r, ...)
  for _, key in ipairs({ r.key, r.members, r.nodes, r.leaving, r.left, ... }) do redis.call('PEXPIRE', key, r.keepMs) end
end

local function save(r)
  redis.call(
    'HSET', r.key, 'epoch', r.epoch, 'version', r.version, 'devices', r.devices, 'users', r.users, 'nodes', r.nodeCount,
    'left', r.leftCount
  )
end

-- Calls all nodes to ask whether they are known, once a second at most. Begins with what a full memory allows.
local function call(r)
  redis.call('PEXPIRE', r.key, r.keepMs)
  if now() - (tonumber(redis.call('HGET', r.key, 'called')) or 0) < CALL_MS then return end
  redis.call('HSET', r.key, 'called', now())
  redis.call('PUBLISH', r.wakeChannel, r.key)
end

-- Everybody is to join again. Deletes first, which a full memory allows.
local function reset(r)
  redis.call('UNLINK', r.members, r.nodes, r.leaving, r.left)
  begin(r)
  r.changes = {}
  save(r)
  keep(r)
  redis.call('SPUBLISH', r.channel, r.epoch .. ' 0 -1\n')
  call(r)
end

-- A node that is not known: the server may have lost the others too.
local function unknown(r)
  if r.epoch then call(r) else reset(r) end
end

local function openRoom(key, channel, wakeChannel, keepMs)
  local head = redis.call('HMGET', key, 'epoch', 'version', 'devices', 'users', 'nodes', 'left')
  local r = {
    key = key, channel = channel, wakeChannel = wakeChannel, keepMs = keepMs, changes = {}, dueMs = -1,
    members = key .. ':members', nodes = key .. ':nodes', leaving = key .. ':leaving', left = key .. ':left',
    epoch = head[1], version = tonumber(head[2]) or 0, devices = tonumber(head[3]) or 0, users = tonumber(head[4]) or 0,
    nodeCount = tonumber(head[5]) or 0, leftCount = tonumber(head[6]) or 0
  }
  local isWhole = redis.call('ZCARD', r.members) == r.devices and redis.call('ZCARD', r.nodes) == r.nodeCount
  if isWhole and r.leftCount > 0 then
    isWhole = redis.call('ZCARD', r.leaving) == r.leftCount and redis.call('HLEN', r.left) == r.leftCount
  end
  if not isWhole then reset(r) end
  return r
end

local function text(bytes)
  return #bytes .. ':' .. bytes
end

local function devicesOf(r, user)
  return redis.call('ZLEXCOUNT', r.members, '[' .. user .. '\0', '(' .. user .. '\1')
end

local function userOf(session)
  return string.sub(session, 1, string.find(session, '\0', 1, true) - 1)
end

-- After it was taken out of `members`.
local function gone(r, session)
  r.devices = r.devices - 1
  if devicesOf(r, userOf(session)) == 0 then r.users = r.users - 1 end
  r.changes[#r.changes + 1] = '-' .. text(session)
end

local function present(r, session, entry)
  r.changes[#r.changes + 1] = '+' .. text(session) .. text(entry)
end

-- Milliseconds until the first is out, by one of the two keys that know when; -1 where there is none.
local function untilFirst(key, count)
  if count == 0 then return -1 end
  return math.max(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] - now(), 0)
end

-- Takes out those whose time is over, so many at a time. Returns when the next is, in milliseconds: 0 where there are more.
local function sweep(r)
  local leftMs, deadMs = untilFirst(r.leaving, r.leftCount), untilFirst(r.nodes, r.nodeCount)
  if leftMs ~= 0 and deadMs ~= 0 then
    if leftMs < 0 or deadMs < 0 then return math.max(leftMs, deadMs) end
    return math.min(leftMs, deadMs)
  end
  local swept = 0
  for _, session in ipairs(redis.call('ZRANGE', r.leaving, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_SWEPT)) do
    redis.call('ZREM', r.leaving, session)
    redis.call('HDEL', r.left, session)
    redis.call('ZREM', r.members, session .. '\0')
    r.leftCount = r.leftCount - 1
    gone(r, session)
    swept = swept + 1
  end
  for _, node in ipairs(redis.call('ZRANGE', r.nodes, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_DEAD_NODES)) do
    if swept >= MAX_SWEPT then return 0 end
    local held = heldBy(r, node)
    local fields = redis.call('HRANDFIELD', held, MAX_SWEPT - swept + NODE_FIELDS)
    -- Nobody knows any more who they were.
    if #fields == 0 then
      reset(r)
      return -1
    end
    for _, session in ipairs(fields) do
      if string.find(session, '\0', 1, true) then
        redis.call('HDEL', held, session)
        redis.call('ZREM', r.members, session .. '\0' .. node)
        gone(r, session)
        swept = swept + 1
      end
    end
    -- What is left of it keeps a late copy of its requests out, and expires.
    if redis.call('HLEN', held) <= NODE_FIELDS then
      redis.call('ZREM', r.nodes, node)
      r.nodeCount = r.nodeCount - 1
    end
  end
  -- Looked at again: it may not have been all.
  return 0
end

-- Somebody is out after so long unless they do something: those who watch are to look then.
local function due(r, ms)
  if r.dueMs < 0 or ms < r.dueMs then r.dueMs = ms end
end

-- What has changed is one version, announced in one message.
local function finish(r)
  if #r.changes > 0 then r.version = r.version + 1 end
  save(r)
  if #r.changes == 0 and r.dueMs < 0 then return end
  local head = string.format('%s %.0f %.0f\n', r.epoch, r.version, r.dueMs)
  redis.call('SPUBLISH', r.channel, head .. table.concat(r.changes))
end
