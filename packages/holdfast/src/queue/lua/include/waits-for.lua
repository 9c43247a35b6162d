-- For how many others a job that is to wait still waits, and what those mean to it that died before: `f` it dies, with the name of one and its outcome;
-- `c` it goes on. That counts once. See `block`.
local function waitsFor(jobs, id)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  local left, fate, name, outcome = 0, nil, nil, nil
  local flat = redis.call('HGETALL', children)
  for at = 1, #flat, 2 do
    local status, rest = string.sub(flat[at + 1], 1, 1), string.sub(flat[at + 1], 2)
    if status == '?' then
      left = left + 1
    elseif status == 'f' then
      redis.call('HSET', children, flat[at], 'd' .. rest)
      fate = 'f'
      name, outcome = string.match(rest, '^([^\n]*)\n?(.*)$')
    elseif status == 'c' then
      redis.call('HSET', children, flat[at], 'C' .. rest)
      fate = fate or 'c'
    end
  end
  return left, fate, name, outcome
end
