--- Add jobs of a flow: those that wait for none are ready or delayed. A job that is there already, or was added a moment ago and is over by now, is
-- left as it is: the request may come twice, and from two that carry out one plan.
-- @class idempotent
-- @include now
-- @include pending
-- @include block
-- @include idle
-- @include options
-- @include events
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
-- @arg batch text       the key that says that their batch is open, or empty: they are added only where it is not there yet
-- @arg openMs int
-- @arg operationTtlMs int
-- @arg fields... bytes  of each job: id, lane, due as in `add`, record without the time, those it waits for as JSON
-- @returns int
if batch ~= '' and not redis.call('SET', batch, '1', 'NX', 'PX', openMs) then return 0 end
local operation, stamp, ready = string.sub(jobs, 1, -5) .. 'op:', string.format('%013.0f', now()), 0
for at = 1, #fields, 5 do
  local id, lane, due, record, waits = unpack(fields, at, at + 4)
  local isNew = redis.call('SET', operation .. id, '1', 'NX', 'PX', operationTtlMs)
  if isNew and redis.call('HSETNX', jobs, id, stamp .. lane .. record) == 1 then
    noteEvent(jobs, channel, 'added', id, stamp .. lane .. record)
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
