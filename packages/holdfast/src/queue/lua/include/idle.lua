-- Workers with free slots and nothing to do, each until when it is believed to be there (milliseconds). The one that
-- came last is woken first, as it is the least likely to have died since. Needs the include `now`.
local MAX_ABSENT = 16
local function wakeWorkers(idle, channel, count)
  local absent = 0
  while count > 0 and absent < MAX_ABSENT do
    local popped = redis.call('ZPOPMAX', idle)
    if not popped[1] then return end
    if tonumber(popped[2]) > now() then
      redis.call('PUBLISH', channel, popped[1])
      count = count - 1
    else
      absent = absent + 1
    end
  end
end
