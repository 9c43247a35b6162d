--- All that a lock needs while nobody waits for it: take it where it is free (`ttlMs` > 0, `text` is the token), or give it back (0, `text` is what `lock` has).
-- @class dedupable
-- @batch
-- @key lock
-- @key fence
-- @arg text text
-- @arg ttlMs int
-- @result acquired fence:int
-- @result busy ttlMs:int
-- @result released
-- @result unclear
-- On the way of each pair of calls, so it knows nothing of queues, owners and repeats: what is not plain is `unclear`, and asked of
-- `acquire` and `release`. The format is that of the include `hold`.
local FENCE_TTL_MS = 86400000

if ttlMs == 0 then
  if redis.call('GET', lock) ~= text then return 'unclear' end
  local number = string.match(text, '^%S+ (%d+)')
  redis.call('DEL', lock)
  redis.call('SET', fence, number .. ' 0 ' .. number, 'PX', FENCE_TTL_MS)
  return 'released'
end

local last, heldMs, ended = string.match(redis.call('GET', fence) or '0 0 0', '^(%d+) (%d+) (%d+)$')
if heldMs == '0' then
  local clock = redis.call('TIME')
  local number = string.format('%.0f', math.max(last + 1, clock[1] * 1000000 + clock[2]))
  local held = number .. ' ' .. ttlMs
  if redis.call('SET', lock, text .. ' ' .. held, 'NX', 'PX', ttlMs) then
    redis.call('SET', fence, held .. ' ' .. ended, 'PX', FENCE_TTL_MS + ttlMs)
    return {'acquired', tonumber(number)}
  end
end
local holder, longestMs = string.match(redis.call('GET', lock) or '', '^(.*) %d+ (%d+)')
local leftMs = redis.call('PTTL', lock)
if not holder or holder == text or leftMs < 0 or leftMs > tonumber(longestMs) then return 'unclear' end
return {'busy', leftMs}
