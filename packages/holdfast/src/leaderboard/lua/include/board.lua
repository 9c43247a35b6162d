-- A board is a sorted set. For dense ranks there is also `distinct`: each score of the board once, its text as the
-- member, so that a dense rank is one ZCOUNT. It follows from the board alone, and once it is there every writer keeps it.
-- What is stored with members is in `meta`, a hash; it goes with them, whoever removes them.

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

-- A board to write to. `indexed`: `distinct` has to be kept, and is built where `dense` asks for it. What an eviction of the board left goes.
local function open(board, distinct, meta, dense)
  local b = {board = board, distinct = distinct, meta = meta, indexed = dense, described = false}
  local companions = meta and redis.call('EXISTS', distinct, meta) or redis.call('EXISTS', distinct)
  if companions == 0 then
    if dense then index(board, distinct) end
  elseif redis.call('EXISTS', board) == 0 then
    redis.call('UNLINK', distinct, meta or distinct)
  else
    b.described = meta ~= nil and redis.call('EXISTS', meta) == 1
    if companions == 2 or not b.described then b.indexed = true
    elseif dense then index(board, distinct) end
  end
  return b
end

-- The score that a member had leaves `distinct` when nobody else has it.
local function forget(b, before)
  if redis.call('ZCOUNT', b.board, before, before) == 0 then redis.call('ZREM', b.distinct, textOf(before)) end
end

-- Returns the score's text.
local function put(b, member, score, before)
  local text = textOf(score)
  redis.call('ZADD', b.board, text, member)
  if b.indexed then
    redis.call('ZADD', b.distinct, text, text)
    if before then forget(b, before) end
  end
  return text
end

-- Removes whoever stands at these positions, 0 for the lowest score; returns how many.
local function drop(b, first, last)
  local low, high
  if b.indexed then
    low = redis.call('ZRANGE', b.board, first, first, 'WITHSCORES')[2]
    high = redis.call('ZRANGE', b.board, last, last, 'WITHSCORES')[2]
  end
  if b.described then redis.call('HDEL', b.meta, unpack(redis.call('ZRANGE', b.board, first, last))) end
  local removed = redis.call('ZREMRANGEBYRANK', b.board, first, last)
  if low then
    redis.call('ZREMRANGEBYSCORE', b.distinct, '(' .. low, '(' .. high)
    forget(b, low)
    forget(b, high)
  end
  return removed
end

-- Removes the worst until there are `keep`, but at most `most` of them; returns how many.
local function trim(b, keep, desc, most)
  local total = redis.call('ZCARD', b.board)
  local excess = math.min(total - keep, most)
  if excess <= 0 then return 0 end
  if desc then return drop(b, 0, excess - 1) end
  return drop(b, total - excess, total - 1)
end
