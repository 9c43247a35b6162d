-- `leader` is a hash: the token of who leads, or of who was handed the lead and has not taken it yet; `term`, and once it is
-- taken `id`, `value`, `since` (ms) and `ttl` (ms). Its expiry is the leader's.
-- `term` is the last term, and while somebody leads `<term>:<ms>`, with an expiry of a day after those milliseconds: so long
-- nobody else is let in, though `leader` is gone. They are the leader's ttl and the lock delay, so that neither a leader
-- whose key was evicted is followed before it knows, nor one that died before the delay is over.
-- The server's clock can be set back: nothing lasts longer from now on than it may last at all. Needs the include `now`.
local TERM_TTL_MS = 86400000
-- So long who was handed the lead has time to take it.
local ACCEPT_MS = 1000

local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end

-- The last term, and for how long nobody may follow it.
local function lastTerm(term)
  local last, block = string.match(redis.call('GET', term) or '0', '^(%d+):?(%d*)$')
  local blockMs = tonumber(block)
  if not blockMs then return tonumber(last), 0 end
  return tonumber(last), boundedTtl(term, TERM_TTL_MS + blockMs) - TERM_TTL_MS
end

-- Never less than the server's clock, so that a term also rises across the loss of its key and a failover to a replica
-- that has not seen the last one.
local function nextTerm(term)
  local last = lastTerm(term)
  return string.format('%.0f', math.max(last + 1, nowMicros()))
end

local function markLed(term, number, blockMs)
  redis.call('SET', term, string.format('%s:%.0f', number, blockMs), 'PX', TERM_TTL_MS + blockMs)
end
