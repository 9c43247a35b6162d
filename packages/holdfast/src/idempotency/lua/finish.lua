--- End a run: store its outcome, or leave the key to the next caller. Never touches what another has begun since.
-- @class dedupable
-- @batch 80
-- @include record
-- @key entry
-- @arg token text
-- @arg fence int
-- @arg attempt int
-- @arg print text
-- @arg outcome text         v value, e error, f failed, u failed and the next may have another fingerprint
-- @arg payload bytes
-- @arg ttlMs int
-- @arg create bool          store it also where the key is gone
-- @arg wakeChannel text
-- @result ok
-- @result stored kind:text payload:bytes
-- @result stolen
-- @result expired
local stores = outcome == 'v' or outcome == 'e'
local found = redis.call('GET', entry)
if not found then
  if not (stores and create) then return {'expired'} end
  local it = {state = outcome, fence = fence, attempt = attempt, untilMs = 0, leaseMs = 0, waited = '0', token = token, print = print}
  redis.call('SET', entry, written(it, payload), 'PX', ttlMs)
  return {'ok'}
end
local it = read(found)
if it.token ~= token then
  if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
  return {'stolen'}
end
-- A repeat: it has ended.
if it.state ~= 'r' then return {'ok'} end
local wakes = it.waited == '1'
if outcome == 'u' then it.print = '-' end
it.state, it.untilMs, it.leaseMs, it.waited = stores and outcome or 'f', 0, 0, '0'
replace(entry, it, payload, ttlMs)
if wakes then redis.call('PUBLISH', wakeChannel, token) end
return {'ok'}
