-- Ranks, 1 for the best.

local function countBetter(key, score, desc)
  if desc then return redis.call('ZCOUNT', key, '(' .. score, '+inf') end
  return redis.call('ZCOUNT', key, '-inf', '(' .. score)
end

local function countDistinctBetter(board, distinct, score, desc)
  if redis.call('EXISTS', distinct) == 0 then
    error({err = 'ERR the board was begun without dense ranks; the next write of a handle with dense ranks adds them'})
  end
  return countBetter(distinct, score, desc)
end

local function rankOf(board, distinct, ties, desc, member, score)
  if ties == 'ordinal' then return 1 + redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member) end
  if ties == 'dense' then return 1 + countDistinctBetter(board, distinct, score, desc) end
  return 1 + countBetter(board, score, desc)
end

-- What is stored with the members of the rows.
local function metaOf(meta, described, rows)
  if not described or #rows == 0 then return {} end
  local members = {}
  for at = 1, #rows, 2 do members[#members + 1] = rows[at] end
  return redis.call('HMGET', meta, unpack(members))
end

-- `limit` entries after the first `offset`, the position and the rank of the first of them, from which the others' follow.
local function window(board, distinct, meta, ties, desc, described, total, offset, limit)
  local rows = limit > 0 and redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, offset, offset + limit - 1, 'WITHSCORES') or {}
  local rank = #rows > 0 and rankOf(board, distinct, ties, desc, rows[1], rows[2]) or 0
  return {'window', total, offset + 1, rank, rows, metaOf(meta, described, rows)}
end
