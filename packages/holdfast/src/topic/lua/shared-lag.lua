--- Returns how far a subscription is behind in one partition.
-- @class read
-- @include now
-- @include shared
-- @key meta       of the log
-- @key log
-- @key state
-- @result missing now:int head:int
-- @result ok now:int head:int frontier:int pending:int redelivered:int lowest:int
-- `lowest`: of the messages that are claimed or wait again; 0 where there is none in the log, or where there are too many to look at.
local head = logHead(meta, log)
local s = loadState(state)
if not s then return {'missing', whole(now()), head} end
local pending = redis.call('ZCARD', state) - OWN
local lowest, redelivered = 0, 0
if pending > 0 and pending <= MAX_WALK then
  local members = redis.call('ZRANGE', state, OWN, -1, 'WITHSCORES')
  for at = 1, #members, 2 do
    local offset = tonumber(members[at])
    if offset and (lowest == 0 or offset < lowest) then lowest = offset end
    if members[at + 1] % ROUND > 1 then redelivered = redelivered + 1 end
  end
end
return {'ok', whole(now()), head, s.f, pending, redelivered, lowest}
