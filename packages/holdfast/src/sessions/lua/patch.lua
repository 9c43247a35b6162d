--- Change some fields of a live session; a session that ended is never brought back.
-- Applied patches leave their id and the version they made, so one whose answer was lost is recognised. The last dozen
-- are kept in `ops`, the newest first. `times` has the milliseconds at which the last two versions were made that are
-- divisible by NOTED_EVERY: each patch since the earlier one is remembered.
-- `forgotten`: a repeat, and whether it was applied before is not known any more.
-- @class dedupable
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @arg touchMs int
-- @arg via text          handle of the alias that led here, or ''
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg patchId text
-- @arg expected int
-- @arg removed int
-- @arg changes... bytes
-- @result ok version:int
-- @result conflict version:int
-- @result forgotten
-- @result moved target:text
-- @result revoked
local state, alias = find(session, index, handle, idleMs, via)
if alias then return {'moved', alias} end
if not state then return {'revoked'} end
local NOTED_EVERY, SKEW_MS = 4, 1000
local stored = redis.call('HMGET', session, 'ops', 'times')
local ops, times = stored[1] or '', stored[2] or ''
local applied = string.match(ops, patchId .. '=(%d+)')
if applied then return {'ok', tonumber(applied)} end
if expected > 0 and expected ~= state.version then
  -- Had this patch been applied, it would have made the version after `expected`: known to be another's, or forgotten.
  local known = string.find(ops, '=' .. (expected + 1) .. ',', 1, true)
  if againMs > 0 and not known then return {'forgotten'} end
  return {'conflict', state.version}
end
if againMs > 0 and expected == 0 then
  local oldest = tonumber(string.match(ops, '=(%d+),$'))
  local since = tonumber(string.match(times, '^(%d+),'))
  -- The first patch makes version 2.
  local forgot = oldest and oldest > 2
  if forgot and not (since and since < now() - againMs - SKEW_MS) then return {'forgotten'} end
end
for i = 1, removed do redis.call('HDEL', session, changes[i]) end
for i = removed + 1, #changes, 2 do redis.call('HSET', session, changes[i], changes[i + 1]) end
local version = redis.call('HINCRBY', session, 'version', 1)
ops = string.sub(patchId .. '=' .. version .. ',' .. ops, 1, 200)
if version % NOTED_EVERY == 0 then times = string.match(times, '%d*$') .. ',' .. now() end
redis.call('HSET', session, 'ops', string.match(ops, '^.*,'), 'times', times)
touch(session, index, handle, idleMs, touchMs, state)
return {'ok', version}
