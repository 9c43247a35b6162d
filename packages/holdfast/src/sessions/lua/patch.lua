--- Change some fields of a live session; a session that ended is never brought back.
-- Applied patches leave their id and the version they made, so one whose answer was lost is recognised. The last dozen
-- are kept, the newest first.
-- @class dedupable
-- @include now
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @arg touchMs int
-- @arg via text          handle of the alias that led here, or ''
-- @arg patchId text
-- @arg expected int
-- @arg removed int
-- @arg changes... bytes
-- @result ok version:int
-- @result conflict version:int known:bool
-- @result moved target:text
-- @result revoked
local state, alias = find(session, index, handle, idleMs, via)
if alias then return {'moved', alias} end
if not state then return {'revoked'} end
local ops = redis.call('HGET', session, 'ops') or ''
local applied = string.match(ops, patchId .. '=(%d+)')
if applied then return {'ok', tonumber(applied)} end
if expected > 0 and expected ~= state.version then
  -- Had this patch been applied, it would have made the version after `expected`: known to be another's, or forgotten.
  local known = string.find(ops, '=' .. (expected + 1) .. ',', 1, true)
  return {'conflict', state.version, known and 1 or 0}
end
for i = 1, removed do redis.call('HDEL', session, changes[i]) end
for i = removed + 1, #changes, 2 do redis.call('HSET', session, changes[i], changes[i + 1]) end
local version = redis.call('HINCRBY', session, 'version', 1)
ops = string.sub(patchId .. '=' .. version .. ',' .. ops, 1, 200)
redis.call('HSET', session, 'ops', string.match(ops, '^.*,'))
touch(session, index, handle, idleMs, touchMs, state)
return {'ok', version}
