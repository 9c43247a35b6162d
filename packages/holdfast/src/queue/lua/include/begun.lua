-- Whether a job that does not run just now has done some of its steps: signals alone, which may come before its first run, are none.
local function hasBegun(jobs, meta, id)
  if redis.call('HEXISTS', meta, 's' .. id) == 0 then return false end
  for _, field in ipairs(redis.call('HKEYS', string.sub(jobs, 1, -5) .. 'steps:' .. id)) do
    if string.sub(field, 1, 1) ~= 'g' then return true end
  end
  return false
end
