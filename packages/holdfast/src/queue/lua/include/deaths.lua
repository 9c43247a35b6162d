-- Where a worker has a handler for deaths (`onDead` in `control`: what ids of this partition begin with), a job for it is added in the step in which
-- another dies, so once, whatever becomes of that step's caller. It carries the record and the failures of the dead one, which may be gone by
-- the time. Its own death is nobody's news. To be called before the job is buried. Needs the includes `now`, `idle`, `options`.
local DEATHS, MAX_DEATHS = 'holdfast:dead', 100000
local function reportDeath(jobs, meta, channel, id, record, why)
  local head = string.sub(jobs, 1, -5)
  local idHead = redis.call('HGET', head .. 'control', 'onDead')
  if not idHead or optionsOf(record).o then return end
  -- Nobody has come for them for long.
  if tonumber(redis.call('HGET', head .. 'unhandled', DEATHS) or 0) >= MAX_DEATHS then return end
  local failures, crashes, reason = unpack(redis.call('HMGET', meta, 'f' .. id, 'c' .. id, 'r' .. id))
  failures = failures or ''
  local report = id .. '/dead/' .. string.format('%.0f', nowMicros())
  if string.sub(report, 1, #idHead) ~= idHead then report = idHead .. report end
  local options = cjson.encode({n = DEATHS, o = {id, #failures, (tonumber(crashes) or 0) % 1000000, why or reason or ''}})
  redis.call('HSET', jobs, report, string.format('%013.0f', now()) .. '1' .. options .. '\n' .. failures .. record)
  redis.call('RPUSH', head .. 'high', report)
  wakeWorkers(head .. 'idle', channel, 1)
end
