--- Takes a partition that nobody owns, or whose owner has not renewed in time; one's own, or that of a former process of the same
-- member, at once. Each owner has a higher fence, also where the server has lost the last one.
-- @class idempotent
-- @include now
-- @include redriven
-- @key state
-- @key redriven
-- @arg owner text     the member
-- @arg token text     the process
-- @arg leaseMs int
-- @result ok fence:int cursor:int epoch:int lost:bool tries:text redriven:float names:int
-- @result busy leftMs:int
-- @result missing
local held = redis.call('HMGET', state, 'cursor', 'epoch', 'fence', 'owner', 'token', 'until', 'lost', 'tries', 'leaseMs', 'names')
local cursor, epoch, last, holder, holding, untilMs = unpack(held)
if not cursor then return 'missing' end
local leftMs = (tonumber(untilMs) or 0) - now()
if holding and holding ~= token and holder ~= owner and leftMs > 0 then
  local wholeMs = tonumber(held[9]) or leftMs
  -- The clock was set back: it lasts no longer than it could from now on.
  if leftMs > wholeMs then
    redis.call('HSET', state, 'until', now() + wholeMs)
    leftMs = wholeMs
  end
  return {'busy', leftMs}
end
local fence = string.format('%.0f', math.max((tonumber(last) or 0) + 1, nowMicros()))
redis.call('HSET', state, 'fence', fence, 'owner', owner, 'token', token, 'until', now() + leaseMs, 'leaseMs', leaseMs)
-- Commits are numbered under each fence.
redis.call('HDEL', state, 'commit')
return {'ok', fence, cursor, epoch, held[7] and 1 or 0, held[8] or '', newestRedriven(redriven), held[10] or 0}
