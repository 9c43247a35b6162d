--- Give up the lead, or the candidacy, and hand over to the first live candidate, or to the one that is named.
-- What takes no memory comes first: then the server lets the rest run although its memory is full.
-- @class dedupable
-- @include now
-- @include term
-- @include candidates
-- @key leader
-- @key term
-- @key queue
-- @key candidates
-- @key ended              of this candidate
-- @arg token text
-- @arg to text            the id of who is to follow; empty: the first
-- @arg abandon bool       a request whose fate is unknown or which waits no longer
-- @arg wakeChannel text
-- @arg channel text
-- @result released next:text
-- @result expired
-- @result stolen
-- Calls are repeated for seconds at most, so a minute is long enough.
local ENDED_TTL_MS = 60000

local function successor()
  local token, id = firstLive(queue, candidates, to)
  if not token and to ~= '' then return firstLive(queue, candidates, '') end
  return token, id
end

local done = redis.call('GET', ended)
if done then return {'released', done} end
local state = redis.call('HMGET', leader, 'token', 'term')
local holder, number = state[1], state[2]
if holder == token then
  redis.call('DEL', leader)
  redis.call('SET', term, number, 'PX', TERM_TTL_MS)
  local following, id = successor()
  if following then handOver(leader, term, queue, candidates, following, wakeChannel) end
  redis.call('SET', ended, id or '', 'PX', ENDED_TTL_MS)
  redis.call('PUBLISH', channel, number)
  return {'released', id or ''}
end
if abandon then
  leaveCandidates(queue, candidates, token)
  redis.call('SET', ended, '', 'PX', ENDED_TTL_MS)
end
if not holder then return {'expired'} end
return {'stolen'}
