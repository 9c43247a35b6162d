-- A job that waits for others has the number of those that have not ended in `blocked`, since when in `blockedAt`, and all of them in a hash of its own:
-- by a short reference `?` and a JSON text that names the job (queue, id, partition); once it has ended its status instead of `?`, and its outcome
-- behind a line break. Status: `o` it went well, `d` it is dead; `C` too, and the job went on at once; `f` and `c` too, but as the job did not wait
-- just then, it has not died of it, or gone on, yet. Pairs: references and names, alternating.
local function block(jobs, meta, blocked, id, pairs_, held)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  local fresh = 0
  for at = 1, #pairs_, 2 do fresh = fresh + redis.call('HSETNX', children, pairs_[at], '?' .. pairs_[at + 1]) end
  redis.call('HSET', meta, 'k' .. id, 1)
  if not held then
    redis.call('HINCRBY', blocked, id, fresh)
    redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
  end
  return fresh
end
