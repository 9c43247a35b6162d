--- Stores a flag or deletes it, unless another version of it is there, and notes what was done. `forgotten`: a repeat, and whether it was
--- executed before is not known any more.
-- @class dedupable
-- @include now
-- @key flags
-- @key history
-- @arg opId text         names this write
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg expected int      the version of the flag that must be there: 0 for none, -1 for any state
-- @arg erase bool
-- @arg flag text
-- @arg payload bytes
-- @arg note bytes        what was done, for the history
-- @arg maxFlags int
-- @arg maxNotes int      0: no history
-- @arg channel text      of those who follow
-- @result ok version:int
-- @result missing
-- @result full
-- @result conflict version:int
-- @result forgotten
-- `flags` is a hash: `version`, that of the last write; `ops`, `<opId>=<version>,` for each of the last writes, the newest first; and for each flag
-- `=<name>`, its version, a line end and its payload. `history` is a list of versions, line ends and notes, the newest first.
local MAX_OPS = 16
-- Between the clocks of a server and of the one that takes its place.
local SKEW_MS = 1000

local field = '=' .. flag
local state = redis.call('HMGET', flags, 'version', 'ops', field)
local version, ops = tonumber(state[1]) or 0, state[2] or ''
local _, at = string.find(ops, opId .. '=', 1, true)
if at then return {'ok', string.match(ops, '^%d+', at + 1)} end

local current = state[3] and tonumber(string.match(state[3], '^%d+')) or 0
-- Versions are no less than the microseconds of their writes: all since the oldest that is remembered are remembered.
local oldest = tonumber(string.match(ops, '=(%d+),$'))
local sentAt = (now() - againMs - SKEW_MS) * 1000
if expected >= 0 and expected ~= current then
  local remembers = oldest and (oldest < sentAt or (expected > 0 and expected >= oldest))
  if againMs > 0 and not remembers then return {'forgotten'} end
  return {'conflict', string.format('%.0f', current)}
end
local _, count = string.gsub(ops, ',', ',')
if againMs > 0 and count >= MAX_OPS and oldest >= sentAt then return {'forgotten'} end
if erase and current == 0 then return {'missing'} end
-- Beside the flags there are `version` and `ops`.
if not erase and current == 0 and redis.call('HLEN', flags) - 2 >= maxFlags then return {'full'} end

-- Never less than the server's clock, so that it also rises across the loss of its key.
local number = string.format('%.0f', math.max(version + 1, nowMicros()))
if count >= MAX_OPS then ops = string.match(ops, '^(.*,)[^,]*,$') end
redis.call('HSET', flags, 'version', number, 'ops', opId .. '=' .. number .. ',' .. ops)
if erase then redis.call('HDEL', flags, field) else redis.call('HSET', flags, field, number .. '\n' .. payload) end
if maxNotes > 0 then
  redis.call('LPUSH', history, number .. '\n' .. note)
  redis.call('LTRIM', history, 0, maxNotes - 1)
end
redis.call('PUBLISH', channel, number)
return {'ok', number}
