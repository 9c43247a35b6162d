-- Whoever frees permits gives them to the first in the queue, who has ACCEPT_MS to take them: a newcomer cannot be
-- quicker. Needs the includes `now`, `permits` and `wait-queue`.

-- After `readState`. `strict`: nobody passes the first in the queue. `own` is the hold of who asks, and is not woken.
local function handOver(permits, state, queue, alive, channel, limit, strict, own)
  local at = now()
  purge(permits, at)
  buryDead(queue, alive)
  if stored >= 0 then limit = stored end
  local woken, behind = {}, {}
  for _, hold in ipairs(redis.call('ZRANGE', queue, 0, PER_CALL - 1)) do
    local count = countOf(hold)
    local fits = held + count <= limit and (not strict or #behind == 0)
    if fits or count > limit and limit > 0 then
      leaveQueue(queue, alive, hold)
      -- One that can never be granted is woken too: it learns it when it asks again.
      woken[#woken + 1] = hold
      -- Once: a late copy of its first attempt may have taken them while it waited.
      if fits and redis.call('ZADD', permits, at + ACCEPT_MS, hold) == 1 then held = held + count end
    elseif #behind < MAX_WATCHING then
      behind[#behind + 1] = hold
    end
  end
  for _, hold in ipairs(woken) do
    if hold ~= own then publishHanded(channel, hold, behind) end
  end
  waitedUntil = tonumber(redis.call('ZRANGE', alive, -1, -1, 'WITHSCORES')[2] or 0)
  if keptUntil == 0 then keep(permits, state, at, ACCEPT_MS) else writeState(state) end
end
