-- Who wants to lead: `queue` has their tokens in the order in which they came (score: microseconds), `candidates` for each
-- `<until ms>:<since ms>:<id>`: when it is believed to be dead, unless it asks again. Needs the includes `now` and `term`.

-- A candidate asks again after so long at the latest (`MAX_PAUSE_MS` of an acquisition); one that is late by the grace is dead.
local MAX_PAUSE_MS = 30000
local CANDIDATE_GRACE_MS = 5000
local MAX_PER_CALL = 100

local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end

-- Until when a candidate is believed to live, since when it is one, and who it is; nil where there is no such candidate.
local function candidateOf(candidates, token)
  local untilMs, since, id = string.match(redis.call('HGET', candidates, token) or '', '^(%d+):(%d+):(.*)$')
  return tonumber(untilMs), tonumber(since), id
end

local function isLive(untilMs)
  return untilMs ~= nil and untilMs > now()
end

-- Joins, or stays at its place: `since` is 0 at first, then what this returned the time before. Each looks a second after the
-- one before it at a lead that must have ended, so that one of them is enough. Returns also when to look.
local function joinCandidates(queue, candidates, token, id, since, leftMs)
  -- Its first request is sent again where the answer was lost: it keeps the place that it has then.
  if since == 0 then since = tonumber(redis.call('ZSCORE', queue, token) or 0) end
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  redis.call('ZADD', queue, since, token)
  local pauseMs = math.min(leftMs + ACCEPT_MS * redis.call('ZRANK', queue, token), MAX_PAUSE_MS)
  local ttlMs = pauseMs + CANDIDATE_GRACE_MS
  redis.call('HSET', candidates, token, string.format('%.0f:%.0f:', now() + ttlMs, since / 1000) .. id)
  expireNoEarlier(queue, MAX_PAUSE_MS + CANDIDATE_GRACE_MS)
  expireNoEarlier(candidates, MAX_PAUSE_MS + CANDIDATE_GRACE_MS)
  return since, pauseMs
end

local function leaveCandidates(queue, candidates, token)
  redis.call('ZREM', queue, token)
  redis.call('HDEL', candidates, token)
end

-- The first that lives, or the first of that id; those before it that are dead are forgotten.
local function firstLive(queue, candidates, wanted)
  for _, token in ipairs(redis.call('ZRANGE', queue, 0, MAX_PER_CALL - 1)) do
    local untilMs, _, id = candidateOf(candidates, token)
    if not isLive(untilMs) then leaveCandidates(queue, candidates, token)
    elseif wanted == '' or id == wanted then return token, id end
  end
end

-- So many behind it look, a second after each other, whether the lead was taken.
local MAX_WATCHING = 3

-- Gives the lead to a candidate, who has a second to take it, and wakes that one alone.
local function handOver(leader, term, queue, candidates, token, wakeChannel)
  local number = nextTerm(term)
  redis.call('DEL', leader)
  redis.call('HSET', leader, 'token', token, 'term', number)
  redis.call('PEXPIRE', leader, ACCEPT_MS)
  redis.call('SET', term, number, 'PX', TERM_TTL_MS)
  leaveCandidates(queue, candidates, token)
  local message = 'handed ' .. token
  for _, behind in ipairs(redis.call('ZRANGE', queue, 0, MAX_WATCHING - 1)) do message = message .. ' ' .. behind end
  redis.call('PUBLISH', wakeChannel, message)
end
