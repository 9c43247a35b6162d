--- Keep the lead for `ttlMs` from now. Never takes it.
-- @class idempotent
-- @include now
-- @include term
-- @key leader
-- @key term
-- @arg token text
-- @arg ttlMs int
-- @arg lockDelayMs int
-- @result extended
-- @result expired
-- @result stolen
local state = redis.call('HMGET', leader, 'token', 'term')
if not state[1] then return {'expired'} end
if state[1] ~= token then return {'stolen'} end
-- The first write takes no memory, so the server lets the script go on although its memory is full.
redis.call('PEXPIRE', leader, ttlMs)
local blockMs = ttlMs + lockDelayMs
if redis.call('PEXPIRE', term, TERM_TTL_MS + blockMs) == 0 then markLed(term, state[2], blockMs) end
return {'extended'}
