--- Add jobs of a flow: those that wait for none are ready or delayed. A job that is there already is left as it is.
-- @class idempotent
-- @include now
-- @include block
-- @include idle
-- @include options
-- @include groups
-- @include place
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key idle
-- @key blocked
-- @arg channel text
-- @arg fields... bytes  of each job: id, lane, due as in `add`, record without the time, those it waits for as JSON
-- @returns int
local stamp, ready = string.format('%013.0f', now()), 0
for at = 1, #fields, 5 do
  local id, lane, due, record, waits = unpack(fields, at, at + 4)
  if redis.call('HSETNX', jobs, id, stamp .. lane .. record) == 1 then
    if waits ~= '[]' then
      block(jobs, meta, blocked, id, cjson.decode(waits))
    elseif due == '' then
      if place(jobs, {urgent, normal, low}, stamp .. lane .. record, id) then ready = ready + 1 end
    else
      local dueMs = string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due)
      redis.call('ZADD', delayed, dueMs, lane .. id)
      ready = ready + 1
    end
  end
end
if ready > 0 then wakeWorkers(idle, channel, ready) end
return ready
