--- Who is in the room, a page in the order of users and devices, all devices of a user in the same page. Takes out first whose
--- time is over; `more`: so many that this is to be called again.
-- @class idempotent
-- @include now
-- @include room
-- @key room
-- @arg from bytes        as for ZRANGE BYLEX
-- @arg to bytes
-- @arg limit int         devices; 0: none
-- @arg maxDevices int    of one user, beyond the limit
-- @arg keepMs int
-- @arg channel text
-- @arg wakeChannel text
-- @result room epoch:int version:int dueMs:int devices:int users:int rows:rows<session:bytes,entry:bytes>
-- @result more
local r = openRoom(room, channel, wakeChannel, keepMs)
local dueMs = sweep(r)
if #r.changes > 0 then finish(r) end
if dueMs == 0 then return {'more'} end

local rows = {}
local function add(found)
  for _, row in ipairs(found) do
    local at = string.find(row, '\0', string.find(row, '\0', 1, true) + 1, true)
    local session = string.sub(row, 1, at - 1)
    local entry = redis.call('HGET', heldBy(r, string.sub(row, at + 1)), session)
    if not entry then return false end
    rows[#rows + 1], rows[#rows + 2] = session, entry
  end
  return true
end

local found = limit > 0 and redis.call('ZRANGE', r.members, from, to, 'BYLEX', 'LIMIT', 0, limit) or {}
local isWhole = add(found)
if isWhole and limit > 0 and #found == limit then
  local last = found[#found]
  local rest = { '(' .. last, '(' .. userOf(last) .. '\1', 'BYLEX', 'LIMIT', 0, maxDevices }
  isWhole = add(redis.call('ZRANGE', r.members, unpack(rest)))
end
-- A node's members were evicted.
if not isWhole then
  reset(r)
  return {'more'}
end

return {'room', r.epoch or 0, r.version, string.format('%.0f', dueMs), r.devices, r.users, rows}
