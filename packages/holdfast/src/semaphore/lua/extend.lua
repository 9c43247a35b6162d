--- Keep permits for `ttlMs` from now, or as long as they are held already. Never takes any.
-- @class idempotent
-- @include now
-- @include permits
-- @key permits
-- @key state
-- @arg hold text
-- @arg ttlMs int
-- @result extended
-- @result expired
if not redis.call('ZSCORE', permits, hold) then return {'expired'} end
-- First, as they take no memory: then the server lets the script write on although its memory is full.
redis.call('PEXPIRE', permits, ttlMs + KEEP_MS, 'GT')
redis.call('PEXPIRE', state, ttlMs + KEEP_MS, 'GT')
redis.call('ZADD', permits, 'XX', 'GT', now() + ttlMs, hold)
readState(permits, state)
if ttlMs > longestMs then
  longestMs = ttlMs
  if keptUntil == 0 then keep(permits, state, now(), ttlMs) else writeState(state) end
end
return {'extended'}
