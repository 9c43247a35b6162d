--- Claims messages for a consumer: first those that are due again, then new ones. With `count` 0 it only makes sure that the subscription is there.
-- @class dedupable
-- @include now
-- @include shared
-- @key meta       of the log
-- @key log
-- @key state
-- @key cursors
-- @key redriven
-- @key claimed    answer to this consumer's last claim
-- @arg subscription text
-- @arg op int             rises with each claim of this consumer
-- @arg check bool         whether it may be a copy, or sent again
-- @arg count int
-- @arg visibilityMs int
-- @arg expiresMs int       how long the subscription outlives its last use; 0: for ever
-- @arg start int          where the subscription begins if it is new: the offset before, or -1 for the end
-- @arg seen int           the newest message that the consumer knows of, when it was appended (0: none), and the epoch of its log
-- @arg seenAt int
-- @arg seenEpoch int
-- @result claimed epoch:int generation:int head:int at:int from:int count:int now:int nextDue:int due:rows<member:text,tag:int> gone:int lost:bool ageMs:int
-- @result late
-- `from` and `count`: the new ones. `nextDue`: when the next may be claimed again, -1 where none waits; known only where fewer were there than asked for.
-- `head`, `at`: of the newest message. `lost`: of this epoch the log has not, or no longer, what the consumer has seen: a failover has lost its end.
-- `gone`: so many before `from` the log had no more, and nobody has claimed.
-- A claim that is sent again, because its answer was lost, has the same answer; `ageMs`: how long ago it was made. `late`: the consumer has claimed since.
local MIN_FLOOR_MS = 1000

if check then
  local before = redis.call('GET', claimed)
  if before then
    local answered = cmsgpack.unpack(before)
    if answered[1] == op then
      local again = answered[2]
      again[13] = math.max(now() - tonumber(again[8]), 0)
      return again
    end
    if answered[1] > op then return {'late'} end
  end
end

local t = now()
local head, epoch, first, headAt = logHead(meta, log)
local isLost = seenAt > 0 and seenEpoch == epoch and not isThere(log, head, headAt, seen, seenAt)
-- A write that needs no memory: those after it pass when memory is full, so that a full topic can be consumed.
redis.call('ZREM', state, '')
local s = loadState(state)
if not s then
  local cursor = tonumber(string.match(redis.call('HGET', cursors, subscription) or '', '^%d+'))
  local before = cursor or (start >= 0 and start or head)
  s = makeState(state, redriven, { e = epoch, f = math.min(before, head), g = t, m = 0, t = 0 })
elseif epoch > 0 and s.e ~= epoch then
  -- Another log has taken the place of the one that it stood on; of one that was empty it is the beginning.
  if s.e > 0 then s = makeState(state, redriven, { e = epoch, f = 0, g = math.max(s.g + 1, t), m = 0, t = 0 }) end
  s.e = epoch
  redis.call('ZADD', state, whole(-1 - epoch), 'e')
end

local answer = {'claimed', whole(epoch > 0 and epoch or s.e), whole(s.g), head, whole(headAt), 0, 0, whole(t), -1, {}, 0, isLost and 1 or 0, 0}
local add, due = {}, {}
if count > 0 then
  due = redis.call('ZRANGE', state, 0, whole(t * TAGS + TAGS - 1), 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  local dueAt = (t + visibilityMs) * TAGS
  local again = answer[10]
  for at = 1, #due, 2 do
    local tag = nextTag(due[at + 1] % TAGS)
    again[at], again[at + 1] = due[at], tag
    add[at], add[at + 1] = whole(dueAt + tag), due[at]
  end
  if #due > 0 then
    s.m = math.max(s.m, math.floor(due[#due] / TAGS))
    add[#add + 1], add[#add + 2] = whole(-1 - s.m), 'm'
  end
  local frontier = math.max(s.f, first - 1)
  answer[6], answer[11] = frontier + 1, frontier - s.f
  local fresh = math.max(math.min(count - #due / 2, head - frontier), 0)
  if #due / 2 + fresh < count then
    local nextOne = redis.call('ZRANGE', state, '(' .. whole(t * TAGS + TAGS - 1), '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
    if nextOne then answer[9] = whole(math.floor(nextOne / TAGS)) end
  end
  if fresh > 0 then
    local score = whole(dueAt + 1)
    -- A number given to redis.call is written with 17 digits, which takes three times as long.
    local format = string.format
    local at = #add
    for offset = frontier + 1, frontier + fresh do
      add[at + 1], add[at + 2] = score, format('%d', offset)
      at = at + 2
    end
    answer[7] = fresh
    frontier = frontier + fresh
  end
  if frontier > s.f then
    s.f = frontier
    add[#add + 1], add[#add + 2] = whole(-1 - frontier), 'f'
  end
end
for at = 1, #add, CHUNK do redis.call('ZADD', state, unpack(add, at, math.min(at + CHUNK - 1, #add))) end

-- Up to where all is done: not each time, as it takes a walk over what is claimed.
local pending = redis.call('ZCARD', state) - OWN
if t - s.t >= math.max(MIN_FLOOR_MS, math.min(pending, MAX_WALK)) then
  local floor = s.f
  if pending > MAX_WALK then
    floor = tonumber(string.match(redis.call('HGET', cursors, subscription) or '0', '^%d+'))
  elseif pending > 0 then
    for _, member in ipairs(redis.call('ZRANGE', state, OWN, -1)) do
      local offset = tonumber(member)
      if offset and offset <= floor then floor = offset - 1 end
    end
  end
  passTo(cursors, subscription, floor, t, expiresMs)
  redis.call('ZADD', state, whole(-1 - t), 't')
  if expiresMs > 0 then redis.call('PEXPIRE', state, expiresMs) else redis.call('PERSIST', state) end
end
if #add > 0 then redis.call('SET', claimed, cmsgpack.pack({op, answer}), 'PX', visibilityMs) end
return answer
