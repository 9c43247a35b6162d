--- Let members of one node join, change and leave. `outcomes` has a letter for each item: `k` done, `g` it is not this node's
--- (any more), `f` the room is full, `d` the user has too many devices. `lost`: the node is not known (any more). `late`: a copy
--- that comes after its time.
-- @class dedupable
-- @include now
-- @include room
-- @key room
-- @arg node text         `<owner>.<number>`
-- @arg seq int           of this request among the node's: the next is sent when this one has been answered or given up
-- @arg untilMs int       by the server's clock; 0: it cannot come late
-- @arg ttlMs int         without a heartbeat its members are out after so long, the grace included
-- @arg keepMs int        without anything the room is forgotten after so long
-- @arg maxMembers int    devices in the room
-- @arg maxDevices int    of one user
-- @arg retire bool       the node has no members after this
-- @arg channel text
-- @arg wakeChannel text
-- @arg items... bytes    four each: `+` join, `~` join again, `=` change, `-` leave; user; device; meta, for `-` the grace in ms
-- @result ok outcomes:text
-- @result lost
-- @result late
local ITEM_FIELDS = 4
local REPEAT_MS = 10000

if untilMs > 0 and now() > untilMs then return {'late'} end
local r = openRoom(room, channel, wakeChannel, keepMs)
local held = heldBy(r, node)
local known = redis.call('HMGET', held, 'seq', 'outcomes')
local last = tonumber(known[1])
if last and seq <= last then return seq == last and {'ok', known[2]} or {'late'} end
local outAt = tonumber(redis.call('ZSCORE', r.nodes, node))
if last or seq > 1 or outAt then
  if outAt and not last then reset(r) end
  if not outAt then unknown(r) end
  if not outAt or not last or outAt <= now() then return {'lost'} end
end

if not r.epoch then begin(r) end
local adds = false
for at = 1, #items, ITEM_FIELDS do adds = adds or items[at] ~= '-' end
-- The first write decides whether a full memory refuses all of it: leaving is never refused.
if adds then redis.call('HSET', held, 'seq', seq, 'outcomes', '') else redis.call('PEXPIRE', r.key, keepMs) end
local epoch = r.epoch
sweep(r)
-- The room had to begin again, without what this node had in it.
if last and r.epoch ~= epoch then return {'lost'} end
if not redis.call('ZSCORE', r.nodes, node) then
  r.nodeCount = r.nodeCount + 1
  due(r, ttlMs)
end
redis.call('ZADD', r.nodes, now() + ttlMs, node)

-- Where it is already: with another node, or left and within its grace.
local function elsewhere(session)
  local row = redis.call('ZRANGE', r.members, '[' .. session .. '\0', '(' .. session .. '\1', 'BYLEX', 'LIMIT', 0, 1)[1]
  return row, row and string.sub(row, #session + 2)
end

local owner = string.match(node, '^[^.]+%.')
local function join(op, user, session, meta)
  local row, other = elsewhere(session)
  if row == nil then
    local devices = devicesOf(r, user)
    if r.devices >= maxMembers then return 'f' end
    if devices >= maxDevices then return 'd' end
    local entry = string.format('%.0f:', now()) .. meta
    redis.call('HSET', held, session, entry)
    redis.call('ZADD', r.members, 0, session .. '\0' .. node)
    r.devices = r.devices + 1
    if devices == 0 then r.users = r.users + 1 end
    present(r, session, entry)
    return 'k'
  end
  if op == '~' and other ~= '' and string.sub(other, 1, #owner) ~= owner then return 'g' end
  local before = redis.call('HGET', heldBy(r, other), session)
  local entry = string.match(before or string.format('%.0f:', now()), '^%d+:') .. meta
  if other ~= node then
    redis.call('HDEL', heldBy(r, other), session)
    redis.call('ZREM', r.members, row)
    redis.call('ZADD', r.members, 0, session .. '\0' .. node)
    if other == '' then
      redis.call('ZREM', r.leaving, session)
      r.leftCount = r.leftCount - 1
    end
  end
  redis.call('HSET', held, session, entry)
  if entry ~= before then present(r, session, entry) end
  return 'k'
end

local function change(session, meta)
  local before = redis.call('HGET', held, session)
  if not before then return 'g' end
  local entry = string.match(before, '^%d+:') .. meta
  if entry ~= before then
    redis.call('HSET', held, session, entry)
    present(r, session, entry)
  end
  return 'k'
end

local function leave(session, graceMs)
  local entry = redis.call('HGET', held, session)
  if not entry then return 'g' end
  redis.call('HDEL', held, session)
  redis.call('ZREM', r.members, session .. '\0' .. node)
  if graceMs == 0 then
    gone(r, session)
    return 'k'
  end
  redis.call('ZADD', r.members, 0, session .. '\0')
  redis.call('HSET', r.left, session, entry)
  redis.call('ZADD', r.leaving, now() + graceMs, session)
  r.leftCount = r.leftCount + 1
  due(r, graceMs)
  return 'k'
end

local outcomes = {}
for at = 1, #items, ITEM_FIELDS do
  local op, user, payload = items[at], items[at + 1], items[at + 3]
  local session = user .. '\0' .. items[at + 2]
  if op == '-' then outcomes[#outcomes + 1] = leave(session, tonumber(payload))
  elseif op == '=' then outcomes[#outcomes + 1] = change(session, payload)
  else outcomes[#outcomes + 1] = join(op, user, session, payload) end
end
redis.call('HSET', held, 'seq', seq, 'outcomes', table.concat(outcomes))
local isOver = retire and redis.call('HLEN', held) <= NODE_FIELDS
if isOver then
  redis.call('ZREM', r.nodes, node)
  r.nodeCount = r.nodeCount - 1
end
finish(r)
keep(r, held)
-- It stays while this request can be sent again, and a copy of an earlier one can come late.
if isOver then redis.call('PEXPIRE', held, math.max(untilMs - now(), REPEAT_MS)) end
return {'ok', table.concat(outcomes)}
