-- For how many others a job that is to wait still waits, and what those mean to it that died before: `f` it dies, with the name of one and its outcome;
-- `c` it goes on. That counts once. See `block`; needs the include `pending`.
local function waitsFor(jobs, meta, id)
  local left, fate, name, outcome = pendingOf(jobs, meta, id), nil, nil, nil
  local children, early = string.sub(jobs, 1, -5) .. 'children:' .. id, redis.call('HGET', meta, 'e' .. id)
  local told = early and redis.call('HGET', children, early)
  if early then redis.call('HDEL', meta, 'e' .. id) end
  local status, rest = string.sub(told or '', 1, 1), string.sub(told or '', 2)
  if status == 'f' then
    redis.call('HSET', children, early, 'd' .. rest)
    fate = 'f'
    name, outcome = string.match(rest, '^([^\n]*)\n?(.*)$')
  elseif status == 'c' then
    redis.call('HSET', children, early, 'C' .. rest)
    fate = 'c'
  end
  return left, fate, name, outcome
end
