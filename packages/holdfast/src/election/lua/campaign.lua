--- Take the lead if it was handed over to this candidate, or if nobody has it and no other candidate was here before; else, if
--- asked to, join the candidates.
-- @class dedupable
-- @include now
-- @include term
-- @include candidates
-- @key leader
-- @key term
-- @key queue
-- @key candidates
-- @key ended              of this candidate: it has resigned or given up, and this is a copy that was delayed on its way
-- @arg token text
-- @arg id text
-- @arg value bytes
-- @arg ttlMs int
-- @arg lockDelayMs int
-- @arg queued bool
-- @arg since int
-- @arg wakeChannel text
-- @arg channel text       of those who observe
-- @result acquired term:int since:int
-- @result busy ttlMs:int since:int
if redis.call('EXISTS', ended) == 1 then return {'busy', 0, since} end

local function busy(leftMs)
  if not queued then return {'busy', leftMs, since} end
  local place, pauseMs = joinCandidates(queue, candidates, token, id, since, leftMs)
  return {'busy', pauseMs, place}
end

local state = redis.call('HMGET', leader, 'token', 'term', 'since', 'ttl')
local holder, number, begun, longestMs = state[1], state[2], state[3], tonumber(state[4]) or ACCEPT_MS
if holder and holder ~= token then return busy(boundedTtl(leader, longestMs)) end
if not holder then
  local _, leftMs = lastTerm(term)
  if leftMs > 0 then return busy(leftMs) end
  local first = firstLive(queue, candidates, '')
  if first and first ~= token then
    handOver(leader, term, queue, candidates, first, wakeChannel)
    return busy(ACCEPT_MS)
  end
  number = nextTerm(term)
end
if not begun then begun = string.format('%.0f', now()) end
redis.call('HSET', leader, 'token', token, 'term', number, 'id', id, 'since', begun, 'ttl', ttlMs)
-- What it has proclaimed since is not undone by a repeat.
redis.call('HSETNX', leader, 'value', value)
redis.call('PEXPIRE', leader, ttlMs)
markLed(term, number, ttlMs + lockDelayMs)
leaveCandidates(queue, candidates, token)
redis.call('PUBLISH', channel, number)
return {'acquired', tonumber(number), tonumber(begun)}
