-- A board is a sorted set. For dense ranks there is also `distinct`: each score of the board once, its text as the
-- member, so that a dense rank is one ZCOUNT. It follows from the board alone, and once it is there every writer keeps it.

-- A double holds each whole number up to this one.
local MAX_SCORE = 9007199254740991
-- About 20 ms of the server's time, once in the life of a board.
local MAX_INDEXED = 10000
-- More than one call can write, so a board whose cap was lowered shrinks to it.
local MAX_TRIMMED = 1000

-- One spelling for one score: what ZSCORE returns differs between server versions.
local function textOf(score)
  return string.format('%.17g', tonumber(score))
end

local function index(board, distinct)
  if redis.call('ZCARD', board) > MAX_INDEXED then
    error({err = 'ERR the board was begun without dense ranks and is too large to add them'})
  end
  local rows = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
  for at = 2, #rows, 2 do redis.call('ZADD', distinct, rows[at], textOf(rows[at])) end
end

-- Whether `distinct` has to be kept; builds it where `dense` asks for it.
local function isIndexed(board, distinct, dense)
  if redis.call('EXISTS', distinct) == 1 then
    if redis.call('EXISTS', board) == 1 then return true end
    redis.call('DEL', distinct)
  elseif dense then
    index(board, distinct)
  end
  return dense
end

-- The score that a member had leaves `distinct` when nobody else has it.
local function forget(board, distinct, before)
  if redis.call('ZCOUNT', board, before, before) == 0 then redis.call('ZREM', distinct, textOf(before)) end
end

local function put(board, distinct, indexed, member, score, before)
  local text = textOf(score)
  redis.call('ZADD', board, text, member)
  if not indexed then return end
  redis.call('ZADD', distinct, text, text)
  if before then forget(board, distinct, before) end
end

-- The sum as text, or false when it would be beyond MAX_SCORE: then nothing is changed.
local function add(board, distinct, indexed, member, by)
  local before = redis.call('ZSCORE', board, member)
  local sum = (tonumber(before) or 0) + by
  if math.abs(sum) > MAX_SCORE then return false end
  put(board, distinct, indexed, member, sum, before)
  return textOf(sum)
end

local function trim(board, distinct, indexed, maxSize, desc)
  local excess = math.min(redis.call('ZCARD', board) - maxSize, MAX_TRIMMED)
  if excess <= 0 then return false end
  local worst = desc and 0 or -1
  redis.call('ZREMRANGEBYRANK', board, desc and 0 or -excess, desc and excess - 1 or -1)
  if indexed then
    local bound = '(' .. redis.call('ZRANGE', board, worst, worst, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYSCORE', distinct, desc and '-inf' or bound, desc and bound or '+inf')
  end
  return true
end

local function expire(board, distinct, indexed, ttlMs, renew)
  if ttlMs == 0 then return end
  if renew then redis.call('PEXPIRE', board, ttlMs) else redis.call('PEXPIRE', board, ttlMs, 'NX') end
  local at = indexed and redis.call('PEXPIRETIME', board) or 0
  if at > 0 then redis.call('PEXPIREAT', distinct, at) end
end

-- The last step of each write: true if members fell off the board.
local function settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
  local trimmed = trim(board, distinct, indexed, maxSize, desc)
  expire(board, distinct, indexed, ttlMs, renew)
  return trimmed
end
