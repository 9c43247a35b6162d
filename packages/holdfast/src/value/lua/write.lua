--- Replace the value or delete it, unless another version is stored. `forgotten`: a repeat, and whether it was executed before
--- is not known any more.
-- @class dedupable
-- @include now
-- @key entry
-- @arg opId text         names this write
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg expected int      the version that must be stored: 0 for no value, -1 for any state
-- @arg erase bool
-- @arg payload bytes
-- @arg channel text      of those who watch
-- @result ok version:int
-- @result missing
-- @result conflict version:int
-- @result forgotten
-- `entry` is a hash: `version`, `value` unless it was deleted, and `ops`, `<opId>=<version>,` for each of the last writes, the
-- newest first: by it a write that is sent again, because its answer was lost, is recognised.
local MAX_OPS = 16
-- Between the clocks of a server and of the one that takes its place.
local SKEW_MS = 1000
-- So long a deleted value's version is kept, in case the clock is set back.
local DELETED_TTL_MS = 86400000

local state = redis.call('HMGET', entry, 'version', 'ops')
local version, ops = tonumber(state[1]) or 0, state[2] or ''
local _, at = string.find(ops, opId .. '=', 1, true)
if at then return {'ok', string.match(ops, '^%d+', at + 1)} end

local current = redis.call('HEXISTS', entry, 'value') == 1 and version or 0
-- Versions are no less than the microseconds of their writes: all since the oldest that is remembered are remembered.
local oldest = tonumber(string.match(ops, '=(%d+),$'))
local sentAt = (now() - againMs - SKEW_MS) * 1000
if expected >= 0 and expected ~= current then
  local remembers = oldest and (oldest < sentAt or (expected > 0 and expected >= oldest))
  if againMs > 0 and not remembers then return {'forgotten'} end
  return {'conflict', current}
end
local _, count = string.gsub(ops, ',', ',')
if againMs > 0 and count >= MAX_OPS and oldest >= sentAt then return {'forgotten'} end
if erase and current == 0 then return {'missing'} end

-- Never less than the server's clock, so that it also rises across the loss of its key.
local number = string.format('%.0f', math.max(version + 1, nowMicros()))
if count >= MAX_OPS then ops = string.match(ops, '^(.*,)[^,]*,$') end
ops = opId .. '=' .. number .. ',' .. ops
if erase then
  redis.call('HDEL', entry, 'value')
  redis.call('HSET', entry, 'version', number, 'ops', ops)
  redis.call('PEXPIRE', entry, DELETED_TTL_MS)
else
  redis.call('HSET', entry, 'version', number, 'ops', ops, 'value', payload)
  redis.call('PERSIST', entry)
end
redis.call('PUBLISH', channel, number)
return {'ok', number}
