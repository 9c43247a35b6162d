-- Notes for retention how far a subscription is, and until when that counts; keeps its state for as long.
-- keepMs 0: for ever; below: as long as before.
local function used(state, cursors, name, cursor, keepMs)
  local value = string.format('%.0f', cursor)
  if keepMs > 0 then
    value = value .. string.format(':%.0f', now() + keepMs)
    redis.call('PEXPIRE', state, keepMs)
  elseif keepMs == 0 then
    redis.call('PERSIST', state)
  else
    local leftMs = redis.call('PTTL', state)
    if leftMs > 0 then value = value .. string.format(':%.0f', now() + leftMs) end
  end
  redis.call('HSET', cursors, name, value)
end
