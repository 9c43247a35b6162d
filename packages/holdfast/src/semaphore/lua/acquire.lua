--- Take permits if that many are free and nobody waits for them.
-- @class dedupable
-- @batch 80
-- @include now
-- @include permits
-- @key permits
-- @key state
-- @arg hold text
-- @arg count int
-- @arg limit int
-- @arg ttlMs int
-- @arg strict bool
-- @result acquired fence:int
-- @result busy ttlMs:int
-- @result oversized limit:int
readState(permits, state)
local at = now()
local most = stored >= 0 and stored or limit
local waited = waitedUntil > at and waitedUntil <= at + BELIEVED_MS
local fits = held + count <= most
-- What has ended is for those who wait.
if not fits and not waited then
  local before = held
  purge(permits, at)
  fits = held + count <= most
  -- Also where this call takes none: what was taken out is counted no more.
  if held ~= before then writeState(state) end
end
if waited and strict then fits = false end
if not fits and not redis.call('ZSCORE', permits, hold) then
  if count > most and most > 0 then return {'oversized', most} end
  return {'busy', nextEnd(permits, at)}
end
return {'acquired', grant(permits, state, hold, count, ttlMs, at)}
