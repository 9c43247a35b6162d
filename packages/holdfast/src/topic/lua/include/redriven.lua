-- The place of the letter that was put back last; 0 where none waits.
local function newestRedriven(redriven)
  return redis.call('ZRANGE', redriven, -1, -1, 'WITHSCORES')[2] or '0'
end
