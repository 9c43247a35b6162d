-- A job that waits for others has the number of those that have not ended in `blocked`, since when in `blockedAt`, and all of them in a hash of its own:
-- by a short reference `?` and a JSON text that names the job (queue, id, partition); once it has ended its status instead of `?`, and its outcome
-- behind a line break. Status: `o` it went well, `d` it is dead; `C` too, and the job went on at once; `f` and `c` too, but as the job did not wait
-- just then, it has not died of it, or gone on, yet (`e` in `meta` says that there is one). `pairs_`: references and names, alternating. Instead of them
-- `staged`, with its size: a key with a hash of such entries, which are put beside those that are there. Needs the includes `now` and `pending`.
local function block(jobs, meta, blocked, id, pairs_, held, staged, size)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  local before, fresh = pendingOf(jobs, meta, id), 0
  if staged then
    fresh = size
    -- The fewer go to the more.
    if redis.call('HLEN', children) > size then
      children, staged = staged, children
    end
    local flat = redis.call('HGETALL', children)
    for at = 1, #flat, 1000 do redis.call('HSET', staged, unpack(flat, at, math.min(at + 999, #flat))) end
    redis.call('DEL', children)
    children = string.sub(jobs, 1, -5) .. 'children:' .. id
    if staged ~= children then redis.call('RENAME', staged, children) end
    redis.call('PERSIST', children)
  else
    for at = 1, #pairs_, 2 do fresh = fresh + redis.call('HSETNX', children, pairs_[at], '?' .. pairs_[at + 1]) end
  end
  redis.call('HSET', meta, 'k' .. id, before + fresh)
  if not held then
    redis.call('HINCRBY', blocked, id, fresh)
    redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
  end
  return fresh
end
