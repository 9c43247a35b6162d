-- `fence` outlives the lock by a day, so that fences rise also where a server's clock is set back.
local FENCE_TTL_MS = 86400000
local function keepFence(fence, number, ttlMs)
  redis.call('SET', fence, string.format('%.0f', number), 'PX', FENCE_TTL_MS + ttlMs)
end
